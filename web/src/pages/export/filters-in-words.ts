import type { LogExport } from "@/api/exports";
import { fromSaved } from "../logs/query";

const names: Record<string, string> = {
  search_term: "logs.term",
  level: "logs.level",
  source: "logs.source",
  user_id: "log.user",
  session_id: "log.session",
  pattern_id: "logs.pattern",
};

/** What was asked for, in a line: the range, then each filter by its name. */
export function wordsOf(
  filters: LogExport["filters"],
  t: (key: string, values?: Record<string, string>) => string,
  dateTime: (iso: string) => string,
): string {
  const { start_date, end_date, mode: _, ...rest } = filters;
  const range =
    typeof start_date === "string" && typeof end_date === "string"
      ? [`${dateTime(start_date)} – ${dateTime(end_date)}`]
      : [];
  const all = Object.entries(rest).map(([name, value]) => {
    const list = (Array.isArray(value) ? value : [value]).map(String);
    const excludes = name.startsWith("exclude_");
    const plain = excludes ? name.slice("exclude_".length) : name;
    const text = plain === "level" ? list.map((level) => t(`level.${level}`)).join(", ") : list.join(", ");
    const key = names[plain];
    const filter = `${key ? t(key) : plain.replace(/^metadata\./, "")}: ${text}`;
    return excludes ? t("logs.not", { filter }) : filter;
  });
  return [...range, ...all].join(" · ");
}

/** The address of this page with what that export was asked for. */
export function againOf(job: LogExport): string {
  const query = fromSaved(job.filters);
  const params = new URLSearchParams({ format: job.format });
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) {
      // Commas part the values; one within a value is escaped.
      if (value.length) params.set(name, value.map((one) => one.replaceAll(",", "%2C")).join(","));
    } else if (value instanceof Date) params.set(name, value.toISOString());
    else if (value && value !== "words") params.set(name, String(value));
  }
  if (job.file_name.endsWith(".gz")) params.set("gzip", "true");
  return `?${params}`;
}
