import { parseAsArrayOf, parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import type { PatternQuery } from "@/api/patterns";
import { boundsOf, levels, rangeParsers } from "../logs/query";

export const statuses = ["new", "surging"] as const;
export const sorts = ["count", "last_seen", "first_seen", "surge"] as const;
export const mutings = ["hide", "show", "only"] as const;

/** Which patterns are listed and how, all of it in the address. */
export function usePatternFilters() {
  return useQueryStates(
    {
      q: parseAsString.withDefault(""),
      status: parseAsStringLiteral(statuses),
      muted: parseAsStringLiteral(mutings).withDefault("hide"),
      sort: parseAsStringLiteral(sorts).withDefault("count"),
      level: parseAsArrayOf(parseAsStringLiteral(levels)).withDefault([]),
      from: parseAsArrayOf(parseAsString).withDefault([]),
      ...rangeParsers,
    },
    { history: "push" },
  );
}

export type Filters = ReturnType<typeof usePatternFilters>[0];
export type SetFilters = ReturnType<typeof usePatternFilters>[1];

export const noFilters = { q: null, status: null, muted: null, level: null, from: null };

export const isFiltered = (f: Filters) =>
  f.q !== "" || f.status !== null || f.muted === "only" || f.level.length > 0 || f.from.length > 0;

export function toApi(f: Filters, now: number): PatternQuery {
  return {
    q: f.q || undefined,
    status: f.status ?? undefined,
    muted: f.muted === "show" ? undefined : f.muted === "only",
    sort: f.sort,
    level: f.level.length ? f.level : undefined,
    source: f.from.length ? f.from : undefined,
    ...boundsOf(f, now),
  };
}
