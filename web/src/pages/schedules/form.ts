import type { ScheduleConfiguration, ScheduleInput, VersionedSchedule } from "@/api/schedules";
import type { BackupType } from "@/api/types";
import { parsePatterns } from "../backup/patterns";
import { fromCron, nightly, toCron, type When } from "./cron";

/** A schedule as the form's controls hold it: "" for the default source, and for what is left open. */
export type Form = When & {
  name: string;
  source: string;
  type: BackupType;
  zone: string;
  overlap: NonNullable<ScheduleConfiguration["overlap"]>;
  catchUp: string;
  tables: string;
  active: boolean;
};

export function toForm(read: VersionedSchedule | null, zone: string): Form {
  const s = read?.schedule;
  const c = s?.configuration;
  return {
    ...(s ? fromCron(s.cron_expression) : nightly),
    name: s?.name ?? "",
    source: s?.source_id ?? "",
    type: s?.backup_type ?? "full",
    zone: s ? (c?.timezone ?? "") : zone,
    overlap: c?.overlap ?? "skip",
    catchUp: c?.catch_up_hours === undefined ? "" : String(c.catch_up_hours),
    tables: c?.tables?.join(", ") ?? "",
    active: s?.active ?? true,
  };
}

/** What the form does not show of the configuration stays as it was. */
export function fromForm(form: Form, read: VersionedSchedule | null): ScheduleInput {
  const { catch_up_hours: _, tables: __, timezone: ___, ...kept } = read?.schedule.configuration ?? {};
  const tables = parsePatterns(form.tables);
  return {
    name: form.name.trim(),
    cron_expression: toCron(form),
    backup_type: form.type,
    source_id: form.source || null,
    active: form.active,
    configuration: {
      ...kept,
      overlap: form.overlap,
      ...(form.zone.trim() && { timezone: form.zone.trim() }),
      ...(form.catchUp.trim() && { catch_up_hours: Number(form.catchUp) }),
      ...(tables.length > 0 && { tables }),
    },
  };
}

/** Where in the form the API's field is. */
export function fieldOf(name: string, form: Form) {
  if (name === "name") return "name" as const;
  if (name === "cron_expression") {
    return (
      ({ hourly: "minute", monthly: "day", cron: "cron" } as const)[form.often as "cron"] ?? ("time" as const)
    );
  }
  if (name === "configuration.timezone") return "zone" as const;
  if (name === "configuration.catch_up_hours") return "catchUp" as const;
  if (name.startsWith("configuration.tables")) return "tables" as const;
  return null;
}

const between = (low: number, high: number) => (text: string) =>
  /^\s*\d+\s*$/.test(text) && Number(text) >= low && Number(text) <= high;

export const isMinute = between(0, 59);
export const isDay = between(1, 31);
export const isTime = (text: string) => /^([01]\d|2[0-3]):[0-5]\d$/.test(text);
const isHours = between(0, 8_784);
export const isCatchUp = (text: string) => text.trim() === "" || isHours(text);
