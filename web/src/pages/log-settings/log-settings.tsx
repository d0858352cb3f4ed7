import { useQuery } from "@tanstack/react-query";
import { Hourglass, Lock } from "lucide-react";
import { useState } from "react";
import { FormProvider, useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";
import {
  logSettingsQuery,
  type LogSettings as Settings,
  useSaveLogSettings,
  type VersionedLogSettings,
} from "@/api/log-settings";
import { ApiError } from "@/api/problem";
import { usePermission, useServices } from "@/app/services";
import { Button } from "@/ui/button";
import { CheckField, Field, Input } from "@/ui/field";
import { ErrorPanel, Skeleton } from "@/ui/states";
import { type Form, fieldOf, fromForm, isDays, isLimit, toForm } from "./form";
import { Masking } from "./masking";
import { Retention } from "./retention";
import { Section } from "./section";

/** How entries are kept, masked and found. */
export function LogSettings() {
  const { t } = useTranslation();
  const { api } = useServices();
  const query = useQuery(logSettingsQuery(api));
  // What the form began with; a newer version in the background does not change what is being typed.
  const [base, setBase] = useState<VersionedLogSettings>();
  if (!base && query.data) setBase(query.data);
  return (
    <div className="flex flex-col gap-4">
      <title>{`${t("page.log_settings")} · Guarda`}</title>
      <div>
        <h1 className="font-semibold text-[19px] leading-6 tracking-[-0.012em]">{t("log_settings.title")}</h1>
        <p className="mt-0.5 text-ink-2">{t("log_settings.text")}</p>
      </div>
      {query.isError && !base ? (
        <ErrorPanel
          error={query.error}
          title={t("error.log_settings")}
          onRetry={() => void query.refetch()}
        />
      ) : base ? (
        <SettingsForm
          key={base.etag}
          read={base}
          being={query.data?.settings.text_search_being_prepared}
          onSaved={setBase}
          onReload={async () => setBase((await query.refetch()).data)}
        />
      ) : (
        <div role="status" className="flex flex-col gap-4">
          <span className="sr-only">{t("state.loading")}</span>
          {[0, 1, 2].map((i) => (
            <Skeleton key={i} className="h-44 rounded-card" />
          ))}
        </div>
      )}
    </div>
  );
}

function SettingsForm({
  read,
  being,
  onSaved,
  onReload,
}: {
  read: VersionedLogSettings;
  being: Settings["text_search_being_prepared"];
  onSaved: (saved: VersionedLogSettings) => void;
  onReload: () => void;
}) {
  const { t } = useTranslation();
  const allowed = usePermission("logs.manage");
  const reason = allowed ? null : t("permission.missing", { permission: "logs.manage" });
  const save = useSaveLogSettings();
  const form = useForm<Form>({ defaultValues: toForm(read.settings) });
  const { register, formState, handleSubmit, reset, setError } = form;
  const outdated = save.error instanceof ApiError && save.error.status === 412;
  const submit = handleSubmit((values) =>
    save.mutate(
      { settings: fromForm(values), etag: read.etag },
      {
        onSuccess: (saved) => {
          toast.success(t("log_settings.saved"));
          onSaved(saved);
        },
        onError: (error) => {
          for (const { field, message } of error instanceof ApiError ? error.fields : []) {
            const name = fieldOf(field, values);
            if (name) setError(name, { message });
          }
        },
      },
    ),
  );
  return (
    <FormProvider {...form}>
      <form noValidate onSubmit={submit} className="flex flex-col gap-4">
        {reason && (
          <p className="flex items-center gap-2 rounded-card border bg-sunken px-4 py-3 text-ink-2">
            <Lock size={15} aria-hidden className="shrink-0" />
            {t("log_settings.read_only")} {reason}
          </p>
        )}
        <Retention reason={reason} />
        <Section title={t("log_settings.archive")} text={t("log_settings.archive_text")}>
          <div className="max-w-80">
            <Field
              label={t("log_settings.hot_days")}
              help={t("log_settings.hot_days_help")}
              error={formState.errors.hot?.message}
            >
              {(props) => (
                <Input
                  {...props}
                  inputMode="numeric"
                  readOnly={!allowed}
                  className="num"
                  {...register("hot", { validate: (text) => isDays(text) || t("log_settings.days_invalid") })}
                />
              )}
            </Field>
          </div>
        </Section>
        <Masking reason={reason} />
        <Section title={t("log_settings.search")} text={t("log_settings.search_text")}>
          {being && (
            <p
              role="status"
              className="flex items-start gap-2 rounded-control border border-run/30 bg-run-soft px-3 py-2"
            >
              <Hourglass size={15} aria-hidden className="mt-0.5 shrink-0 text-run" />
              {t(being.fold_accents ? "log_settings.preparing_folded" : "log_settings.preparing", {
                config: being.config,
              })}
            </p>
          )}
          <div className="max-w-80">
            <Field
              label={t("log_settings.config")}
              help={t("log_settings.config_help")}
              error={formState.errors.config?.message}
            >
              {(props) => (
                <Input
                  {...props}
                  list="text-search-configurations"
                  readOnly={!allowed}
                  spellCheck={false}
                  autoCapitalize="off"
                  className="font-mono text-[13px]"
                  {...register("config", {
                    validate: (text) => text.trim() !== "" || t("log_settings.config_missing"),
                  })}
                />
              )}
            </Field>
            <datalist id="text-search-configurations">
              {["portuguese", "simple", "english", "spanish"].map((name) => (
                <option key={name} value={name} />
              ))}
            </datalist>
          </div>
          <CheckField
            label={t("log_settings.fold")}
            help={t("log_settings.fold_help")}
            disabled={!allowed}
            {...register("fold")}
          />
        </Section>
        <Section title={t("log_settings.limit")} text={t("log_settings.limit_text")}>
          <div className="max-w-80">
            <Field label={t("log_settings.limit_label")} error={formState.errors.limit?.message}>
              {(props) => (
                <Input
                  {...props}
                  inputMode="numeric"
                  readOnly={!allowed}
                  className="num"
                  {...register("limit", {
                    validate: (text) => isLimit(text) || t("log_settings.limit_invalid"),
                  })}
                />
              )}
            </Field>
          </div>
        </Section>
        {save.isError && (
          <ErrorPanel error={save.error} title={t(outdated ? "log_settings.outdated" : "error.save")} />
        )}
        {outdated && (
          <div>
            <Button onClick={onReload}>{t("log_settings.load_current")}</Button>
          </div>
        )}
        {allowed && (
          <div className="sticky bottom-0 z-10 -mx-1 flex flex-wrap items-center justify-end gap-2 border-t bg-canvas/95 px-1 py-3 backdrop-blur">
            <p role="status" className="mr-auto text-[13px] text-ink-2">
              {formState.isDirty ? t("log_settings.unsaved") : ""}
            </p>
            <Button
              reason={formState.isDirty ? null : t("log_settings.unchanged")}
              onClick={() => {
                reset();
                save.reset();
              }}
            >
              {t("log_settings.discard")}
            </Button>
            <Button
              type="submit"
              variant="primary"
              busy={save.isPending}
              reason={formState.isDirty ? null : t("log_settings.unchanged")}
            >
              {t("log_settings.save")}
            </Button>
          </div>
        )}
      </form>
    </FormProvider>
  );
}
