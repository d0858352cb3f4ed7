import { Plus, Trash2 } from "lucide-react";
import { Controller, useFieldArray, useFormContext } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { Button } from "@/ui/button";
import { Input } from "@/ui/field";
import { maskRules } from "../export/choices";
import { everySource, type Form } from "./form";
import { FieldError, Section } from "./section";

/** What is taken out of entries before they are stored, by source. */
export function Masking({ reason }: { reason: string | null }) {
  const { t } = useTranslation();
  const { control, register, formState, getValues } = useFormContext<Form>();
  const { fields, append, remove } = useFieldArray({ control, name: "masking" });
  const off = reason !== null;
  return (
    <Section title={t("log_settings.masking")} text={t("log_settings.masking_text")}>
      <ul className="flex flex-col divide-y divide-line">
        {fields.map((field, i) => {
          const general = field.source === everySource && i === 0;
          const error = formState.errors.masking?.[i]?.source?.message;
          return (
            <li key={field.id} className="flex flex-col gap-2 py-3 first:pt-0 last:pb-0">
              <div className="flex items-center gap-2">
                {general ? (
                  <>
                    <input type="hidden" {...register(`masking.${i}.source`)} />
                    <span className="flex h-8 flex-1 items-center font-medium">
                      {t("log_settings.every_other_source")}
                    </span>
                  </>
                ) : (
                  <>
                    <Input
                      aria-label={t("log_settings.masked_source", { number: i })}
                      aria-invalid={error ? true : undefined}
                      placeholder={t("logs.source")}
                      readOnly={off}
                      spellCheck={false}
                      autoCapitalize="off"
                      className="max-w-72"
                      {...register(`masking.${i}.source`, {
                        maxLength: { value: 100, message: t("log_settings.source_long") },
                        validate: (text) =>
                          text.trim() === ""
                            ? t("log_settings.source_missing")
                            : getValues("masking").findIndex((one) => one.source.trim() === text.trim()) ===
                                i || t("log_settings.source_twice"),
                      })}
                    />
                    <span className="flex-1" />
                    <Button
                      variant="ghost"
                      aria-label={t("log_settings.remove_masking", { number: i })}
                      icon={<Trash2 size={15} aria-hidden />}
                      reason={reason}
                      onClick={() => remove(i)}
                    />
                  </>
                )}
              </div>
              <FieldError text={error} />
              <Controller
                control={control}
                name={`masking.${i}.rules`}
                render={({ field: { value, onChange } }) => (
                  <fieldset className="flex flex-wrap gap-x-5 gap-y-1.5">
                    <legend className="sr-only">
                      {t("log_settings.rules_of", {
                        source: general
                          ? t("log_settings.every_other_source")
                          : getValues(`masking.${i}.source`) || t("logs.source"),
                      })}
                    </legend>
                    {maskRules.map((rule) => (
                      <label key={rule} className="flex items-center gap-2">
                        <input
                          type="checkbox"
                          disabled={off}
                          checked={value.includes(rule)}
                          onChange={(event) =>
                            onChange(
                              event.target.checked ? [...value, rule] : value.filter((one) => one !== rule),
                            )
                          }
                          className="size-4 accent-accent"
                        />
                        {t(`mask.${rule}`)}
                      </label>
                    ))}
                    {!general && value.length === 0 && (
                      <span className="text-[13px] text-ink-3">{t("log_settings.masks_nothing")}</span>
                    )}
                  </fieldset>
                )}
              />
            </li>
          );
        })}
      </ul>
      <div>
        <Button
          icon={<Plus size={15} aria-hidden />}
          reason={reason}
          onClick={() => append({ source: "", rules: [] })}
        >
          {t("log_settings.add_masking")}
        </Button>
      </div>
    </Section>
  );
}
