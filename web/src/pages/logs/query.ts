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
export type RangeName = (typeof ranges)[number];

const minutes: Record<RangeName, number> = {
  "15m": 15,
  "1h": 60,
  "6h": 360,
  "24h": 1_440,
  "7d": 10_080,
  "30d": 43_200,
};

/** A time range in the address: one that ends now, or two fixed moments. */
export const rangeParsers = {
  range: parseAsStringLiteral(ranges).withDefault("24h"),
  start: parseAsIsoDateTime,
  end: parseAsIsoDateTime,
};
export type Range = { range: RangeName; start: Date | null; end: Date | null };

const texts = parseAsArrayOf(parseAsString).withDefault([]);

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
      from: texts,
      not_from: texts,
      pattern: parseAsString,
      not_pattern: texts,
      user: parseAsString,
      session: parseAsString,
      meta: texts,
      not_meta: texts,
      ...rangeParsers,
      live: parseAsBoolean.withDefault(false),
    },
    { history: "push" },
  );
}

export type Query = ReturnType<typeof useLogQuery>[0];
export type SetQuery = ReturnType<typeof useLogQuery>[1];

/** No filter; the time stays as it is. */
export const noFilters = {
  q: "",
  level: [],
  from: [],
  not_from: [],
  pattern: null,
  not_pattern: [],
  user: null,
  session: null,
  meta: [],
  not_meta: [],
} satisfies Partial<Query>;

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
  const list = <T>(values: T[]) => (values.length ? values : undefined);
  return {
    search_term: query.q || undefined,
    mode: query.q && query.mode !== "words" ? query.mode : undefined,
    level: list(query.level),
    source: list(query.from),
    exclude_source: list(query.not_from),
    pattern_id: query.pattern ?? undefined,
    exclude_pattern_id: list(query.not_pattern),
    user_id: query.user ?? undefined,
    session_id: query.session ?? undefined,
    metadata: query.meta.length ? metadataOf(query.meta) : undefined,
    exclude_metadata: query.not_meta.length ? metadataOf(query.not_meta) : undefined,
  };
}

export const isFiltered = (query: Query) => Object.values(filtersOf(query)).some((v) => v !== undefined);

/**
 * The bounds of a range. The start of a relative one moves in steps of a
 * sixtieth of it, so that the same question is not asked anew each second.
 */
export function boundsOf(
  { range, start, end }: Range,
  now: number,
): { start_date: string; end_date?: string } {
  if (start && end) return { start_date: start.toISOString(), end_date: end.toISOString() };
  const span = minutes[range] * 60_000;
  const step = Math.max(15_000, span / 60);
  return { start_date: new Date(Math.floor((now - span) / step) * step).toISOString() };
}

/** The whole search. */
export const toApi = (query: Query, now: number): LogQuery => ({
  ...filtersOf(query),
  ...boundsOf(query, now),
});

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
  const paths = (prefix: string) =>
    Object.entries(saved).flatMap(([name, value]) =>
      name.startsWith(prefix) ? [`${name.slice(prefix.length)}=${String(value)}`] : [],
    );
  return {
    q: text("search_term") ?? "",
    mode: modes.find((mode) => mode === saved.mode) ?? "words",
    level: levels.filter((level) => list("level").includes(level)),
    from: list("source"),
    not_from: list("exclude_source"),
    pattern: text("pattern_id"),
    not_pattern: list("exclude_pattern_id"),
    user: text("user_id"),
    session: text("session_id"),
    meta: paths("metadata."),
    not_meta: paths("exclude_metadata."),
    start: date("start_date"),
    end: date("end_date"),
    live: false,
  };
}

/** Filters by their names in the API; metadata as `metadata.<path>`. */
export function namedFilters(query: Query): Record<string, string | string[]> {
  const { metadata, exclude_metadata, ...filters } = filtersOf(query);
  const named: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(filters)) if (value !== undefined) named[name] = value;
  for (const [path, value] of Object.entries(metadata ?? {})) named[`metadata.${path}`] = value;
  for (const [path, value] of Object.entries(exclude_metadata ?? {}))
    named[`exclude_metadata.${path}`] = value;
  return named;
}

/** The other way round. A relative range is the reader's, not the search's: only fixed times are saved. */
export function toSaved(query: Query): Record<string, string | string[]> {
  const saved = namedFilters(query);
  if (query.start && query.end) {
    saved.start_date = query.start.toISOString();
    saved.end_date = query.end.toISOString();
  }
  return saved;
}

/** What of an address another page of the logs goes on with: filters and time, not the open row. */
const carried = [
  "q",
  "mode",
  "level",
  "from",
  "not_from",
  "pattern",
  "not_pattern",
  "user",
  "session",
  "meta",
  "not_meta",
  "range",
  "start",
  "end",
];

export function carry(search: string, names: string[] = carried): string {
  const out = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(search)) if (names.includes(name)) out.append(name, value);
  return out.size ? `?${out}` : "";
}
