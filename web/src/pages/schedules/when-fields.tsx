import { useFormContext, useWatch } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { useFormat } from "@/format/use-format";
import { Field, Input } from "@/ui/field";
import { Select } from "@/ui/select";
import { inWords, oftens, toCron, weekdays } from "./cron";
import { type Form, isDay, isMinute, isTime } from "./form";

const zones = Intl.supportedValuesOf?.("timeZone") ?? [];

/** Some that have what is typed; all 400 would be too many to offer. */
function zonesLike(text: string): string[] {
  const part = text.trim().toLowerCase().replaceAll(" ", "_");
  return zones.filter((name) => name.toLowerCase().includes(part)).slice(0, 12);
}

function isZone(text: string): boolean {
  try {
    return text.trim() === "" || Boolean(new Intl.DateTimeFormat("en", { timeZone: text.trim() }));
  } catch {
    return false;
  }
}

/** How often and when, by whose clocks; said back in a sentence. */
export function WhenFields() {
  const { t } = useTranslation();
  const { language } = useFormat();
  const { register, formState, control, setValue } = useFormContext<Form>();
  const { errors } = formState;
  const [often, time, minute, weekday, day, own, zone] = useWatch({
    control,
    name: ["often", "time", "minute", "weekday", "day", "cron", "zone"],
  });
  const when = { often, time, minute, weekday, day, cron: own, zone };
  const cron = toCron(when);
  const words = inWords(cron, language);
  return (
    <>
      <Field label={t("schedules.often")}>
        {({ id }) => (
          <Select
            id={id}
            label={t("schedules.often")}
            value={when.often}
            onChange={(value) => {
              // What was chosen so far is where writing it in cron begins.
              if (value === "cron") setValue("cron", cron);
              setValue("often", value);
            }}
            options={oftens.map((value) => ({ value, label: t(`schedules.often_${value}`) }))}
            className="w-full"
          />
        )}
      </Field>
      <div className="flex flex-wrap gap-4">
        {when.often === "weekly" && (
          <div className="min-w-40 flex-1">
            <Field label={t("schedules.weekday")}>
              {({ id }) => (
                <Select
                  id={id}
                  label={t("schedules.weekday")}
                  value={when.weekday}
                  onChange={(value) => setValue("weekday", value)}
                  options={weekdays(language).map((label, day) => ({ value: String(day), label }))}
                  className="w-full"
                />
              )}
            </Field>
          </div>
        )}
        {when.often === "monthly" && (
          <div className="w-32">
            <Field
              label={t("schedules.day")}
              help={Number(when.day) > 28 ? t("schedules.day_help") : undefined}
              error={errors.day?.message}
            >
              {(props) => (
                <Input
                  {...props}
                  {...register("day", { validate: (text) => isDay(text) || t("schedules.day_invalid") })}
                  inputMode="numeric"
                  className="num"
                />
              )}
            </Field>
          </div>
        )}
        {when.often === "hourly" && (
          <div className="w-40">
            <Field label={t("schedules.minute")} error={errors.minute?.message}>
              {(props) => (
                <Input
                  {...props}
                  {...register("minute", {
                    validate: (text) => isMinute(text) || t("schedules.minute_invalid"),
                  })}
                  inputMode="numeric"
                  className="num"
                />
              )}
            </Field>
          </div>
        )}
        {["daily", "weekly", "monthly"].includes(when.often) && (
          <div className="w-36">
            <Field label={t("schedules.time")} error={errors.time?.message}>
              {(props) => (
                <Input
                  {...props}
                  {...register("time", { validate: (text) => isTime(text) || t("schedules.time_invalid") })}
                  type="time"
                  className="num"
                />
              )}
            </Field>
          </div>
        )}
        {when.often === "cron" && (
          <div className="min-w-0 flex-1">
            <Field label={t("schedules.cron")} help={t("schedules.cron_help")} error={errors.cron?.message}>
              {(props) => (
                <Input
                  {...props}
                  {...register("cron", {
                    validate: (text) => text.trim() !== "" || t("schedules.cron_missing"),
                  })}
                  autoComplete="off"
                  spellCheck={false}
                  className="font-mono text-[13px]"
                />
              )}
            </Field>
          </div>
        )}
      </div>
      <Field label={t("schedules.zone")} help={t("schedules.zone_help")} error={errors.zone?.message}>
        {(props) => (
          <Input
            {...props}
            {...register("zone", { validate: (text) => isZone(text) || t("schedules.zone_invalid") })}
            list="time-zones"
            autoComplete="off"
            spellCheck={false}
          />
        )}
      </Field>
      <datalist id="time-zones">
        {zonesLike(zone).map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {words.key !== "schedules.words_cron" && (
        <p aria-live="polite" className="rounded-control bg-sunken px-3 py-2 text-ink-2">
          {t(words.key, words.values)}
          {when.zone.trim() && ` · ${when.zone.trim().replaceAll("_", " ")}`}
        </p>
      )}
    </>
  );
}
