import { useQueryClient } from "@tanstack/react-query";
import { CircleCheck, CircleMinus, CircleX, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/problem";
import { keys, useAddSource, useTestSource } from "@/api/queries";
import type { Source, SourceSettings, SourceTest } from "@/api/types";
import { usePermission } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { CheckField, Field, Input } from "@/ui/field";
import { Select } from "@/ui/select";
import { ErrorPanel, Skeleton } from "@/ui/states";

type Preset = NonNullable<SourceSettings["preset"]>;
type Form = { name: string; dsn: string; preset: Preset; managed: string[]; strict: boolean; jobs: string };

const presets: Preset[] = ["auto", "none", "supabase", "rds"];

/** Adds a database, then tries it: what a backup needs is checked one thing at a time. */
export function SourceDialog({
  open,
  onClose,
  onRun,
}: {
  open: boolean;
  onClose: () => void;
  onRun: (sourceId: string) => void;
}) {
  const { t } = useTranslation();
  const [added, setAdded] = useState<Source | null>(null);
  const queries = useQueryClient();
  const test = useTestSource();
  const close = () => {
    setAdded(null);
    test.reset();
    onClose();
    void queries.invalidateQueries({ queryKey: keys.summary });
  };
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => !next && close()}
      title={added ? t("source_dialog.test_title", { name: added.name }) : t("source_dialog.title")}
      description={added ? undefined : t("source_dialog.text")}
    >
      {added ? (
        <Checks
          test={test}
          onRetry={() => test.mutate(added.id)}
          onDone={close}
          onRun={() => {
            close();
            onRun(added.id);
          }}
        />
      ) : (
        <SourceForm
          onAdded={(source) => {
            setAdded(source);
            test.mutate(source.id);
          }}
          onCancel={close}
        />
      )}
    </Dialog>
  );
}

function SourceForm({ onAdded, onCancel }: { onAdded: (source: Source) => void; onCancel: () => void }) {
  const { t } = useTranslation();
  const add = useAddSource();
  const allowed = usePermission("sources.write");
  const { register, handleSubmit, setError, formState, watch, setValue } = useForm<Form>({
    defaultValues: { name: "", dsn: "", preset: "auto", managed: [], strict: false, jobs: "2" },
  });
  const preset = watch("preset");
  const hasPlatformRows = preset === "auto" || preset === "supabase";
  const [sent, setSent] = useState({ body: "", key: "" });
  const submit = handleSubmit((form) => {
    const source = {
      name: form.name.trim(),
      dsn: form.dsn.trim(),
      settings: {
        preset: form.preset,
        strict: form.strict,
        jobs: Number(form.jobs),
        managed_data: hasPlatformRows ? form.managed : [],
      },
    };
    const body = JSON.stringify(source);
    const key = sent.body === body ? sent.key : crypto.randomUUID();
    setSent({ body, key });
    add.mutate(
      { source, key },
      {
        onSuccess: onAdded,
        onError: (error) => {
          if (!(error instanceof ApiError)) return;
          for (const { field, message } of error.fields) {
            if (field === "name" || field === "dsn") setError(field, { message });
            else if (field === "settings.jobs") setError("jobs", { message });
          }
        },
      },
    );
  });
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-4">
      {add.isError && <ErrorPanel compact error={add.error} />}
      <Field
        label={t("source_dialog.name")}
        help={t("source_dialog.name_help")}
        error={formState.errors.name?.message}
      >
        {(props) => (
          <Input
            {...props}
            {...register("name", {
              required: t("source_dialog.name_missing"),
              pattern: {
                value: /^\s*[a-z0-9][a-z0-9_-]{0,62}\s*$/,
                message: t("source_dialog.name_pattern"),
              },
            })}
            placeholder="loja"
            autoCapitalize="off"
            spellCheck={false}
          />
        )}
      </Field>
      <Field
        label={t("source_dialog.dsn")}
        help={t("source_dialog.dsn_help")}
        error={formState.errors.dsn?.message}
      >
        {(props) => (
          <Input
            {...props}
            {...register("dsn", { required: t("source_dialog.dsn_missing") })}
            placeholder="postgres://guarda@db.example.com:5432/loja?sslmode=require"
            autoCapitalize="off"
            autoComplete="off"
            spellCheck={false}
            className="font-mono text-[13px]"
          />
        )}
      </Field>
      <details open={formState.errors.jobs ? true : undefined}>
        <summary className="w-fit cursor-pointer rounded font-medium text-[13px]">
          {t("source_dialog.options")}
        </summary>
        <div className="mt-3 flex flex-col gap-4 border-line border-l-2 pl-4">
          <Field label={t("source_dialog.preset")} help={t("source_dialog.preset_help")}>
            {({ id }) => (
              <Select
                id={id}
                label={t("source_dialog.preset")}
                value={preset}
                onChange={(value) => setValue("preset", value)}
                options={presets.map((value) => ({
                  value,
                  label:
                    value === "auto" || value === "none"
                      ? t(`source_dialog.preset_${value}`)
                      : t(`preset.${value}`),
                }))}
              />
            )}
          </Field>
          {hasPlatformRows && (
            <fieldset className="flex flex-col gap-1.5">
              <legend className="mb-1.5 font-medium text-[13px]">{t("source_dialog.managed_data")}</legend>
              {["auth", "storage"].map((schema) => (
                <CheckField key={schema} label={schema} value={schema} {...register("managed")} />
              ))}
              <p className="text-[13px] text-ink-3 leading-[18px]">{t("source_dialog.managed_help")}</p>
            </fieldset>
          )}
          <CheckField
            label={t("source_dialog.strict")}
            help={t("source_dialog.strict_help")}
            {...register("strict")}
          />
          <Field
            label={t("source_dialog.jobs")}
            help={t("source_dialog.jobs_help")}
            error={formState.errors.jobs?.message}
          >
            {(props) => (
              <Input
                {...props}
                {...register("jobs", {
                  validate: (text) =>
                    (/^\s*\d{1,2}\s*$/.test(text) && Number(text) >= 1 && Number(text) <= 32) ||
                    t("source_dialog.jobs_invalid"),
                })}
                inputMode="numeric"
                className="num max-w-24"
              />
            )}
          </Field>
        </div>
      </details>
      <div className="mt-1 flex justify-end gap-2">
        <Button onClick={onCancel}>{t("action.cancel")}</Button>
        <Button
          type="submit"
          variant="primary"
          busy={add.isPending}
          reason={allowed ? null : t("permission.missing", { permission: "sources.write" })}
        >
          {add.isPending ? t("source_dialog.adding") : t("source_dialog.add")}
        </Button>
      </div>
    </form>
  );
}

function Checks({
  test,
  onRetry,
  onDone,
  onRun,
}: {
  test: ReturnType<typeof useTestSource>;
  onRetry: () => void;
  onDone: () => void;
  onRun: () => void;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <div className="flex flex-col gap-4">
      {test.isError ? (
        <ErrorPanel compact error={test.error} onRetry={onRetry} />
      ) : test.data ? (
        <>
          <p>
            {test.data.ok ? t("source_dialog.ok") : t("source_dialog.not_ok")}{" "}
            <span className="text-ink-2">
              {[
                test.data.server_version && `PostgreSQL ${test.data.server_version}`,
                test.data.size_bytes != null && format.bytes(test.data.size_bytes),
              ]
                .filter(Boolean)
                .join(" · ")}
            </span>
          </p>
          {test.data.preset && test.data.preset.name !== "none" && (
            <p className="text-ink-2">
              {t("source_dialog.preset_found", {
                platform: t(`preset.${test.data.preset.name}`),
                schemas: test.data.preset.managed_schemas.join(", ") || "—",
              })}
            </p>
          )}
          <ul className="flex flex-col gap-2.5">
            {test.data.checks.map((check) => (
              <li key={check.name} className="flex gap-2.5">
                <CheckIcon status={check.status} />
                <div className="min-w-0">
                  <p className="break-words">
                    <span className="font-medium">{t(`check.${check.name}`)}</span>{" "}
                    <span className="text-ink-2">{check.message}</span>
                  </p>
                  {check.hint && <p className="break-words text-[13px] text-ink-2">{check.hint}</p>}
                </div>
              </li>
            ))}
          </ul>
        </>
      ) : (
        <div role="status" aria-label={t("source_dialog.testing")} className="flex flex-col gap-3">
          {[0, 1, 2, 3, 4].map((i) => (
            <Skeleton key={i} className="h-5" />
          ))}
        </div>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>{t("action.close")}</Button>
        <Button
          variant="primary"
          onClick={onRun}
          reason={
            test.data?.ok ? null : test.isPending ? t("source_dialog.testing") : t("source_dialog.fix_first")
          }
        >
          {t("source_dialog.first_backup")}
        </Button>
      </div>
    </div>
  );
}

function CheckIcon({ status }: { status: SourceTest["checks"][number]["status"] }) {
  const { t } = useTranslation();
  const looks = {
    ok: <CircleCheck size={17} aria-hidden className="text-ok" />,
    warning: <TriangleAlert size={17} aria-hidden className="text-warn" />,
    failed: <CircleX size={17} aria-hidden className="text-bad" />,
    skipped: <CircleMinus size={17} aria-hidden className="text-ink-3" />,
  };
  return (
    <span className="mt-0.5 shrink-0">
      {looks[status]}
      <span className="sr-only">{t(`check.${status}`)}</span>
    </span>
  );
}
