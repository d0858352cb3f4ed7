import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { FormProvider, useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";
import { ApiError } from "@/api/problem";
import { scheduleQuery, useSaveSchedule, type VersionedSchedule } from "@/api/schedules";
import type { BackupType, Source } from "@/api/types";
import { usePermission, useServices } from "@/app/services";
import { zoneInUse } from "@/prefs/zone";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { CheckField, Field, Input } from "@/ui/field";
import { Select } from "@/ui/select";
import { ErrorPanel, Skeleton } from "@/ui/states";
import { type Form, fieldOf, fromForm, isCatchUp, toForm } from "./form";
import { WhenFields } from "./when-fields";

type Props = { sources: Source[]; initialSource: string | null; onClose: () => void };

const types: BackupType[] = ["full", "incremental", "differential"];
const overlaps = ["skip", "queue"] as const;

/** Makes a schedule ("new") or changes one. */
export function Editor({ id, ...props }: Props & { id: string | null }) {
  const { t } = useTranslation();
  return (
    <Dialog
      open={id !== null}
      onOpenChange={(next) => !next && props.onClose()}
      title={t(id === "new" ? "schedules.new" : "schedules.edit")}
    >
      {id === "new" ? (
        <ScheduleForm {...props} read={null} />
      ) : (
        id && <Existing key={id} {...props} id={id} />
      )}
    </Dialog>
  );
}

function Existing({ id, ...props }: Props & { id: string }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const query = useQuery(scheduleQuery(api, id));
  if (query.isError) {
    return (
      <ErrorPanel
        compact
        error={query.error}
        title={t("error.schedule")}
        onRetry={() => void query.refetch()}
      />
    );
  }
  if (!query.data) {
    return (
      <div role="status" className="flex flex-col gap-4">
        <span className="sr-only">{t("state.loading")}</span>
        {[0, 1, 2, 3].map((i) => (
          <Skeleton key={i} className="h-14" />
        ))}
      </div>
    );
  }
  return (
    <ScheduleForm key={query.data.etag} {...props} read={query.data} onReload={() => void query.refetch()} />
  );
}

function ScheduleForm({
  read,
  sources,
  initialSource,
  onClose,
  onReload,
}: Props & { read: VersionedSchedule | null; onReload?: () => void }) {
  const { t } = useTranslation();
  const allowed = usePermission("schedules.write");
  const save = useSaveSchedule();
  const initial = toForm(read, zoneInUse());
  const form = useForm<Form>({
    defaultValues: read ? initial : { ...initial, source: initialSource ?? "" },
  });
  const { register, handleSubmit, formState, watch, setValue, setError } = form;
  const { errors } = formState;
  const [source, type, overlap] = watch(["source", "type", "overlap"]);
  // One key for one intent: a second click cannot make a second schedule.
  const [sent, setSent] = useState({ body: "", key: "" });
  const outdated = save.error instanceof ApiError && save.error.status === 412;
  const submit = handleSubmit((values) => {
    const input = fromForm(values, read);
    const body = JSON.stringify(input);
    const key = sent.body === body ? sent.key : crypto.randomUUID();
    setSent({ body, key });
    save.mutate(read ? { input, id: read.schedule.id, etag: read.etag } : { input, key }, {
      onSuccess: (saved) => {
        toast.success(t("schedules.saved", { name: saved.name }));
        onClose();
      },
      onError: (error) => {
        for (const { field, message } of error instanceof ApiError ? error.fields : []) {
          const name = fieldOf(field, values);
          if (name) setError(name, { message });
        }
      },
    });
  });
  const fallback = sources.find((one) => one.is_default);
  return (
    <FormProvider {...form}>
      <form noValidate onSubmit={submit} className="flex flex-col gap-4">
        {save.isError && <ErrorPanel compact error={save.error} onRetry={outdated ? onReload : undefined} />}
        <Field label={t("schedules.name")} error={errors.name?.message}>
          {(props) => (
            <Input
              {...props}
              {...register("name", {
                validate: (text) => text.trim() !== "" || t("schedules.name_missing"),
                maxLength: { value: 255, message: t("access.name_long") },
              })}
              autoComplete="off"
            />
          )}
        </Field>
        <Field label={t("run_dialog.source")}>
          {({ id }) => (
            <Select
              id={id}
              label={t("run_dialog.source")}
              value={source}
              onChange={(value) => setValue("source", value)}
              options={[
                {
                  value: "",
                  label: t("schedules.default_source"),
                  detail: fallback?.name ?? t("schedules.no_source"),
                },
                ...sources.map((one) => ({
                  value: one.id,
                  label: one.name,
                  detail: `${one.database} · ${one.host}`,
                })),
              ]}
              className="w-full"
            />
          )}
        </Field>
        <Field label={t("run_dialog.type")} help={t(`type.${type}_help`)}>
          {({ id }) => (
            <Select
              id={id}
              label={t("run_dialog.type")}
              value={type}
              onChange={(value) => setValue("type", value)}
              options={types.map((value) => ({ value, label: t(`type.${value}`) }))}
              className="w-full"
            />
          )}
        </Field>
        <WhenFields />
        <Field label={t("schedules.overlap")} help={t(`schedules.overlap_${overlap}_help`)}>
          {({ id }) => (
            <Select
              id={id}
              label={t("schedules.overlap")}
              value={overlap}
              onChange={(value) => setValue("overlap", value)}
              options={overlaps.map((value) => ({ value, label: t(`schedules.overlap_${value}`) }))}
              className="w-full"
            />
          )}
        </Field>
        <Field
          label={t("schedules.catch_up")}
          help={t("schedules.catch_up_help")}
          error={errors.catchUp?.message}
        >
          {(props) => (
            <Input
              {...props}
              {...register("catchUp", {
                validate: (text) => isCatchUp(text) || t("schedules.catch_up_invalid"),
              })}
              inputMode="numeric"
              className="num max-w-24"
            />
          )}
        </Field>
        <Field
          label={t("run_dialog.tables")}
          help={t("run_dialog.tables_help")}
          error={errors.tables?.message}
        >
          {(props) => (
            <Input
              {...props}
              {...register("tables")}
              placeholder={t("run_dialog.tables_placeholder")}
              spellCheck={false}
              autoCapitalize="off"
              className="font-mono text-[13px]"
            />
          )}
        </Field>
        <CheckField {...register("active")} label={t("schedules.active")} help={t("schedules.active_help")} />
        <div className="mt-1 flex justify-end gap-2">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button
            type="submit"
            variant="primary"
            busy={save.isPending}
            reason={allowed ? null : t("permission.missing", { permission: "schedules.write" })}
          >
            {t("schedules.save")}
          </Button>
        </div>
      </form>
    </FormProvider>
  );
}
