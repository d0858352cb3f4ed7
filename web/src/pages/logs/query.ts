import {
  parseAsArrayOf,
  parseAsBoolean,
  parseAsIsoDateTime,
  parseAsString,
  parseAsStringLiteral,
  useQueryStates,
} from "nuqs";
import type { LogLevel, LogMode, LogQuery } from "@/api/logs";

export const levels: LogLevel[] = ["critical", "error", "warn", "info", "debug"];
export const modes: LogMode[] = ["words", "substring", "regex"];
export const ranges = ["15m", "1h", "6h", "24h", "7d", "30d"] as const;
export type Range = (typeof ranges)[number];

const minutes: Record<Range, number> = {
  "15m": 15,
  "1h": 60,
  "6h": 360,
  "24h": 1_440,
  "7d": 10_080,
  "30d": 43_200,
};

/**
 * What is searched for, all of it in the address. A log's source is `from`:
 * `source` is the database that the whole program is about.
 */
export function useLogQuery() {
  return useQueryStates(
    {
      q: parseAsString.withDefault(""),
      mode: parseAsStringLiteral(modes).withDefault("words"),
      level: parseAsArrayOf(parseAsStringLiteral(levels)).withDefault([]),
      from: parseAsArrayOf(parseAsString).withDefault([]),
      pattern: parseAsString,
      user: parseAsString,
      session: parseAsString,
      meta: parseAsArrayOf(parseAsString).withDefault([]),
      range: parseAsStringLiteral(ranges).withDefault("24h"),
      start: parseAsIsoDateTime,
      end: parseAsIsoDateTime,
      live: parseAsBoolean.withDefault(false),
    },
    { history: "push" },
  );
}

export type Query = ReturnType<typeof useLogQuery>[0];
export type SetQuery = ReturnType<typeof useLogQuery>[1];

/** "path=value"; the path has no "=", the value may. */
export function metadataOf(list: string[]): Record<string, string> {
  return Object.fromEntries(
    list.flatMap((one) => {
      const at = one.indexOf("=");
      return at > 0 ? [[one.slice(0, at), one.slice(at + 1)]] : [];
    }),
  );
}

/** The filters without the time. */
export function filtersOf(query: Query): LogQuery {
  return {
    search_term: query.q || undefined,
    mode: query.q && query.mode !== "words" ? query.mode : undefined,
    level: query.level.length ? query.level : undefined,
    source: query.from.length ? query.from : undefined,
    pattern_id: query.pattern ?? undefined,
    user_id: query.user ?? undefined,
    session_id: query.session ?? undefined,
    metadata: query.meta.length ? metadataOf(query.meta) : undefined,
  };
}

export const isFiltered = (query: Query) => Object.values(filtersOf(query)).some((v) => v !== undefined);

/**
 * The whole search. The start of a relative range moves in steps of a sixtieth
 * of it, so that the same question is not asked anew each second.
 */
export function toApi(query: Query, now: number): LogQuery {
  const filters = filtersOf(query);
  if (query.start && query.end) {
    return { ...filters, start_date: query.start.toISOString(), end_date: query.end.toISOString() };
  }
  const span = minutes[query.range] * 60_000;
  const step = Math.max(15_000, span / 60);
  return { ...filters, start_date: new Date(Math.floor((now - span) / step) * step).toISOString() };
}

/** A saved search's parameters, as this page's address has them. */
export function fromSaved(saved: Record<string, unknown>): Partial<Query> {
  const text = (name: string) => (typeof saved[name] === "string" ? (saved[name] as string) : null);
  const list = (name: string) => {
    const value = saved[name];
    return Array.isArray(value) ? value.map(String) : typeof value === "string" ? [value] : [];
  };
  const date = (name: string) => {
    const at = new Date(text(name) ?? "");
    return Number.isNaN(at.getTime()) ? null : at;
  };
  return {
    q: text("search_term") ?? "",
    mode: modes.find((mode) => mode === saved.mode) ?? "words",
    level: levels.filter((level) => list("level").includes(level)),
    from: list("source"),
    pattern: text("pattern_id"),
    user: text("user_id"),
    session: text("session_id"),
    meta: Object.entries(saved).flatMap(([name, value]) =>
      name.startsWith("metadata.") ? [`${name.slice("metadata.".length)}=${String(value)}`] : [],
    ),
    start: date("start_date"),
    end: date("end_date"),
    live: false,
  };
}

/** The other way round. A relative range is the reader's, not the search's: only fixed times are saved. */
export function toSaved(query: Query): Record<string, string | string[]> {
  const { metadata, ...filters } = filtersOf(query);
  const saved: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(filters)) if (value !== undefined) saved[name] = value;
  for (const [path, value] of Object.entries(metadata ?? {})) saved[`metadata.${path}`] = value;
  if (query.start && query.end) {
    saved.start_date = query.start.toISOString();
    saved.end_date = query.end.toISOString();
  }
  return saved;
}
