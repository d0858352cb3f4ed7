import { Plus, Trash2 } from "lucide-react";
import { Controller, useFieldArray, useFormContext } from "react-hook-form";
import { useTranslation } from "react-i18next";
import type { LogLevel } from "@/api/logs";
import { Button } from "@/ui/button";
import { Input } from "@/ui/field";
import { Select } from "@/ui/select";
import { levels } from "../logs/query";
import { type Form, isDays, twinOf } from "./form";
import { FieldError, Section } from "./section";

const grid = "grid grid-cols-[minmax(0,1fr)_32px] gap-2 sm:grid-cols-[minmax(0,1fr)_150px_150px_32px]";
const every = "every";

/** How long entries are kept; the rule that says most counts. */
export function Retention({ reason }: { reason: string | null }) {
  const { t } = useTranslation();
  const { control, register, formState, getValues } = useFormContext<Form>();
  const { fields, append, remove } = useFieldArray({ control, name: "retention" });
  const off = reason !== null;
  return (
    <Section title={t("log_settings.retention")} text={t("log_settings.retention_text")}>
      {fields.length === 0 ? (
        <p className="text-ink-2">{t("log_settings.retention_none")}</p>
      ) : (
        <div className="flex flex-col gap-2">
          <div aria-hidden className={`hidden text-[12px] text-ink-3 sm:grid ${grid}`}>
            <span>{t("logs.source")}</span>
            <span>{t("logs.level")}</span>
            <span>{t("log_settings.days")}</span>
          </div>
          {fields.map((field, i) => {
            const errors = formState.errors.retention?.[i];
            const label = (name: string) => t("log_settings.rule_field", { name, number: i + 1 });
            return (
              <div key={field.id} className="max-sm:border-b max-sm:pb-3">
                <div className={grid}>
                  <Input
                    aria-label={label(t("logs.source"))}
                    aria-invalid={errors?.source ? true : undefined}
                    placeholder={t("patterns.any_source")}
                    readOnly={off}
                    spellCheck={false}
                    autoCapitalize="off"
                    className="max-sm:col-span-1"
                    {...register(`retention.${i}.source`, {
                      maxLength: { value: 100, message: t("log_settings.source_long") },
                      validate: () => twinOf(getValues("retention"), i) < 0 || t("log_settings.rule_twice"),
                    })}
                  />
                  <div className="max-sm:order-last max-sm:col-span-2">
                    <Controller
                      control={control}
                      name={`retention.${i}.level`}
                      render={({ field: { value, onChange } }) => (
                        <Select
                          label={label(t("logs.level"))}
                          value={value || every}
                          onChange={(next) => !off && onChange(next === every ? "" : (next as LogLevel))}
                          options={[
                            { value: every as string, label: t("patterns.any_level") },
                            ...levels.map((one) => ({ value: one as string, label: t(`level.${one}`) })),
                          ]}
                          className="w-full"
                        />
                      )}
                    />
                  </div>
                  <div className="max-sm:order-last max-sm:col-span-2">
                    <Input
                      aria-label={label(t("log_settings.days"))}
                      aria-invalid={errors?.days ? true : undefined}
                      inputMode="numeric"
                      placeholder={t("log_settings.for_ever")}
                      readOnly={off}
                      className="num"
                      {...register(`retention.${i}.days`, {
                        validate: (text) => isDays(text) || t("log_settings.days_invalid"),
                      })}
                    />
                  </div>
                  <Button
                    variant="ghost"
                    aria-label={t("log_settings.remove_rule", { number: i + 1 })}
                    icon={<Trash2 size={15} aria-hidden />}
                    reason={reason}
                    onClick={() => remove(i)}
                  />
                </div>
                <FieldError text={errors?.source?.message ?? errors?.days?.message} />
              </div>
            );
          })}
        </div>
      )}
      <div>
        <Button
          icon={<Plus size={15} aria-hidden />}
          reason={reason}
          onClick={() => append({ source: "", level: "", days: "30" })}
        >
          {t("log_settings.add_rule")}
        </Button>
      </div>
    </Section>
  );
}
