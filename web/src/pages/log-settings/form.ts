import type { MaskRule } from "@/api/exports";
import type { LogSettings } from "@/api/log-settings";
import type { LogLevel } from "@/api/logs";

/** The settings as the form's controls hold them: texts where something is typed, "" for every. */
export type Form = {
  config: string;
  fold: boolean;
  limit: string;
  hot: string;
  retention: { source: string; level: LogLevel | ""; days: string }[];
  masking: { source: string; rules: MaskRule[] }[];
};

/** Masking of every source that has no rules of its own. */
export const everySource = "*";

export function toForm(settings: LogSettings): Form {
  const { [everySource]: all = [], ...own } = settings.masking;
  return {
    config: settings.text_search_being_prepared?.config ?? settings.text_search.config,
    fold: settings.text_search_being_prepared?.fold_accents ?? settings.text_search.fold_accents,
    limit: String(settings.entries_per_minute),
    hot: settings.hot_days ? String(settings.hot_days) : "",
    retention: settings.retention.map(({ source, level, days }) => ({
      source: source ?? "",
      level: level ?? "",
      days: days ? String(days) : "",
    })),
    masking: [
      { source: everySource, rules: all },
      ...Object.keys(own)
        .sort()
        .map((source) => ({ source, rules: own[source] ?? [] })),
    ],
  };
}

export function fromForm(form: Form): LogSettings {
  return {
    text_search: { config: form.config.trim(), fold_accents: form.fold },
    entries_per_minute: Number(form.limit),
    hot_days: form.hot.trim() ? Number(form.hot) : null,
    retention: form.retention.map(({ source, level, days }) => ({
      source: source.trim() || null,
      level: level || null,
      days: days.trim() ? Number(days) : null,
    })),
    masking: Object.fromEntries(
      form.masking
        // The general rule is there or not; an own one without rules masks nothing of that source.
        .filter(({ source, rules }) => source !== everySource || rules.length > 0)
        .map(({ source, rules }) => [source.trim(), rules]),
    ),
  };
}

/** Where in the form the API's field is: retention[1].days, masking.shop, text_search.config. */
export function fieldOf(name: string, form: Form) {
  const rule = /^retention\[(\d+)\](?:\.(source|level|days))?$/.exec(name);
  if (rule) return `retention.${Number(rule[1])}.${(rule[2] ?? "source") as "source" | "days"}` as const;
  if (name === "entries_per_minute") return "limit" as const;
  if (name === "hot_days") return "hot" as const;
  if (name.startsWith("text_search")) return "config" as const;
  const source = name.startsWith("masking.") ? name.slice("masking.".length) : null;
  const at = form.masking.findIndex((one) => one.source.trim() === source);
  return at < 0 ? null : (`masking.${at}.source` as const);
}

const wholeDays = /^\s*([1-9]\d{0,4})?\s*$/;

/** Days: a whole number, or nothing for ever. */
export const isDays = (text: string) => wholeDays.test(text) && Number(text) <= 36_500;
export const isLimit = (text: string) => /^\s*[1-9]\d{0,9}\s*$/.test(text) && Number(text) <= 1_000_000_000;

/** The first other rule for the same source and level. */
export function twinOf(rules: Form["retention"], index: number): number {
  const same = (a: Form["retention"][number], b: Form["retention"][number]) =>
    a.source.trim() === b.source.trim() && a.level === b.level;
  return rules.findIndex((rule, i) => i < index && same(rule, rules[index]!));
}
