import { parseAsArrayOf, parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import type { ExecutionFilter } from "@/api/queries";
import type { BackupType, ExecutionStatus } from "@/api/types";

export const statuses = ["completed", "failed", "active"] as const;
export const types: BackupType[] = ["full", "incremental", "differential"];
export const periods = ["24h", "7d", "30d", "90d", "all"] as const;
export type Period = (typeof periods)[number];

const hours: Record<Period, number | null> = { "24h": 24, "7d": 168, "30d": 720, "90d": 2160, all: null };

/** What the history is filtered by, all of it in the address. */
export function useFilters() {
  return useQueryStates(
    {
      status: parseAsArrayOf(parseAsStringLiteral(statuses)).withDefault([]),
      type: parseAsStringLiteral(types),
      source: parseAsString,
      period: parseAsStringLiteral(periods).withDefault("all"),
    },
    { history: "push" },
  );
}

export type Filters = ReturnType<typeof useFilters>[0];

export const isFiltered = (f: Filters) =>
  f.status.length > 0 || f.type !== null || f.source !== null || f.period !== "all";

/** In the API's words. The period's start moves in steps of five minutes, so that the list is not asked anew each second. */
export function toApi(filters: Filters, now: number): ExecutionFilter {
  const back = hours[filters.period];
  const step = 5 * 60_000;
  return {
    status: filters.status.flatMap((s): ExecutionStatus[] => (s === "active" ? ["pending", "running"] : [s])),
    type: filters.type ? [filters.type] : [],
    source: filters.source,
    after: back === null ? null : new Date(Math.floor(now / step) * step - back * 3_600_000).toISOString(),
  };
}
