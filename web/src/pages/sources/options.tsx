import { useFormContext } from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { SourceSettings } from "@/api/types";
import { CheckField, Field, Input } from "@/ui/field";
import { Select } from "@/ui/select";
import { parsePatterns } from "../backup/patterns";

type Preset = NonNullable<SourceSettings["preset"]>;

/** How a database is backed up, as the form's controls hold it. */
export type OptionsForm = {
  preset: Preset;
  managed: string[];
  strict: boolean;
  jobs: string;
  exclude: string;
};

const presets: Preset[] = ["auto", "none", "supabase", "rds"];
const hasPlatformRows = (preset: Preset) => preset === "auto" || preset === "supabase";
/** The platform's schemas that are offered; others that are set are kept. */
const platformRows = ["auth", "storage"];

export const optionsOf = (s: SourceSettings): OptionsForm => ({
  preset: s.preset ?? "auto",
  managed: s.managed_data ?? [],
  strict: s.strict ?? false,
  jobs: String(s.jobs ?? 2),
  exclude: s.exclude?.join(", ") ?? "",
});

/** The settings; what the form does not show stays as it was. */
export const settingsOf = (form: OptionsForm, before: SourceSettings): SourceSettings => ({
  ...before,
  preset: form.preset,
  strict: form.strict,
  jobs: Number(form.jobs),
  managed_data: hasPlatformRows(form.preset) ? form.managed : [],
  exclude: parsePatterns(form.exclude),
});

/** Letters, digits and what is safe in the name of a folder; spaces around it do not count. */
export const sourceName = /^\s*[a-z0-9][a-z0-9_-]{0,62}\s*$/;

/** Where in the form the API's field is. */
export function optionOf(field: string): "jobs" | "exclude" | null {
  if (field === "settings.jobs") return "jobs";
  return field.startsWith("settings.exclude") ? "exclude" : null;
}

export function SourceOptions() {
  const { t } = useTranslation();
  const { register, formState, watch, setValue } = useFormContext<OptionsForm>();
  const [preset, managed] = watch(["preset", "managed"]);
  const { errors } = formState;
  const schemas = [...new Set([...platformRows, ...managed])];
  return (
    <>
      <Field label={t("source_dialog.preset")} help={t("source_dialog.preset_help")}>
        {({ id }) => (
          <Select
            id={id}
            label={t("source_dialog.preset")}
            value={preset}
            onChange={(value) => setValue("preset", value)}
            options={presets.map((value) => ({ value, label: t(presetLabel(value)) }))}
          />
        )}
      </Field>
      {hasPlatformRows(preset) && (
        <fieldset className="flex flex-col gap-1.5">
          <legend className="mb-1.5 font-medium text-[13px]">{t("source_dialog.managed_data")}</legend>
          {schemas.map((schema) => (
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
      <Field label={t("source_dialog.jobs")} help={t("source_dialog.jobs_help")} error={errors.jobs?.message}>
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
      <Field
        label={t("source_dialog.exclude")}
        help={t("source_dialog.exclude_help")}
        error={errors.exclude?.message}
      >
        {(props) => (
          <Input
            {...props}
            {...register("exclude")}
            placeholder="public.tmp_*, cache.*"
            spellCheck={false}
            autoCapitalize="off"
            className="font-mono text-[13px]"
          />
        )}
      </Field>
    </>
  );
}

export const presetLabel = (preset: Preset) =>
  preset === "auto" || preset === "none" ? `source_dialog.preset_${preset}` : `preset.${preset}`;
