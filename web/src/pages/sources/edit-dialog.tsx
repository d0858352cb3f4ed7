import { useQuery } from "@tanstack/react-query";
import { FormProvider, useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";
import { ApiError } from "@/api/problem";
import { type SourceUpdate, sourceQuery, useSaveSource, type VersionedSource } from "@/api/sources";
import { usePermission, useServices } from "@/app/services";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { CheckField, Field, Input } from "@/ui/field";
import { ErrorPanel, Skeleton } from "@/ui/states";
import { type OptionsForm, optionOf, optionsOf, SourceOptions, settingsOf, sourceName } from "./options";

type Form = OptionsForm & { name: string; dsn: string; isDefault: boolean };

export function EditDialog({ id, onClose }: { id: string | null; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog open={id !== null} onOpenChange={(next) => !next && onClose()} title={t("sources.edit")}>
      {id && <Existing key={id} id={id} onClose={onClose} />}
    </Dialog>
  );
}

function Existing({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const query = useQuery(sourceQuery(api, id));
  const reload = () => void query.refetch();
  if (query.isError) {
    return <ErrorPanel compact error={query.error} title={t("error.source")} onRetry={reload} />;
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
  return <EditForm key={query.data.etag} read={query.data} onClose={onClose} onReload={reload} />;
}

function EditForm({
  read: { source, etag },
  onClose,
  onReload,
}: {
  read: VersionedSource;
  onClose: () => void;
  onReload: () => void;
}) {
  const { t } = useTranslation();
  const allowed = usePermission("sources.write");
  const save = useSaveSource();
  const methods = useForm<Form>({
    defaultValues: {
      name: source.name,
      dsn: "",
      isDefault: source.is_default,
      ...optionsOf(source.settings),
    },
  });
  const { register, handleSubmit, setError, formState } = methods;
  const outdated = save.error instanceof ApiError && save.error.status === 412;
  const submit = handleSubmit((form) => {
    const update: SourceUpdate = {
      name: form.name.trim(),
      kind: source.kind,
      is_default: form.isDefault,
      settings: settingsOf(form, source.settings),
    };
    if (form.dsn.trim()) update.dsn = form.dsn.trim();
    save.mutate(
      { id: source.id, etag, update },
      {
        onSuccess: (saved) => {
          toast.success(t("schedules.saved", { name: saved.name }));
          onClose();
        },
        onError: (error) => {
          for (const { field, message } of error instanceof ApiError ? error.fields : []) {
            const name = field === "name" || field === "dsn" ? field : optionOf(field);
            if (name) setError(name, { message });
          }
        },
      },
    );
  });
  return (
    <FormProvider {...methods}>
      <form noValidate onSubmit={submit} className="flex flex-col gap-4">
        {save.isError && <ErrorPanel compact error={save.error} onRetry={outdated ? onReload : undefined} />}
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
                pattern: { value: sourceName, message: t("source_dialog.name_pattern") },
              })}
              autoCapitalize="off"
              spellCheck={false}
            />
          )}
        </Field>
        <Field
          label={t("sources.other_dsn")}
          help={t("sources.other_dsn_help")}
          error={formState.errors.dsn?.message}
        >
          {(props) => (
            <Input
              {...props}
              {...register("dsn")}
              autoCapitalize="off"
              autoComplete="off"
              spellCheck={false}
              className="font-mono text-[13px]"
            />
          )}
        </Field>
        <CheckField
          {...register("isDefault")}
          label={t("sources.is_default")}
          help={t("sources.is_default_help")}
        />
        <SourceOptions />
        <div className="mt-1 flex justify-end gap-2">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button
            type="submit"
            variant="primary"
            busy={save.isPending}
            reason={allowed ? null : t("permission.missing", { permission: "sources.write" })}
          >
            {t("schedules.save")}
          </Button>
        </div>
      </form>
    </FormProvider>
  );
}
