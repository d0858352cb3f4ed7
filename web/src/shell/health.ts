import { isActive, type SourceSummary, type Summary } from "@/api/types";

/** A day and a half: a nightly copy that failed once is late, one that is on time is not. */
const late = 36 * 3_600_000;
/** How long after its due time a run may start before it counts as missed. */
const grace = 10 * 60_000;

export type SourceHealth = "ok" | "failed" | "never" | "late" | "first";

/** How one database stands. `first`: its first copy is being made right now. */
export function sourceHealth(row: SourceSummary, now: number): SourceHealth {
  if (!row.last_success)
    return isActive(row.running) ? "first" : row.recent.some(hasFailed) ? "failed" : "never";
  const last = row.recent.findLast((run) => !isActive(run) && !run.canceled);
  if (last && hasFailed(last)) return "failed";
  if (isActive(row.running)) return "ok";
  const age = now - Date.parse(row.last_success.started_at);
  const missed = row.next_run !== null && now - Date.parse(row.next_run) > grace;
  return missed || (row.next_run === null && age > late) ? "late" : "ok";
}

const hasFailed = (run: { status: string; canceled: boolean }) => run.status === "failed" && !run.canceled;

export type Health = {
  state: "none" | SourceHealth;
  /** The databases that are why. */
  names: string[];
  lastSuccess: string | null;
};

/** The worst of all databases: failed, never, late, first, ok. */
export function overallHealth(summary: Summary, now: number): Health {
  const rows = summary.sources;
  if (rows.length === 0) return { state: "none", names: [], lastSuccess: null };
  const by = (wanted: SourceHealth) =>
    rows.filter((row) => sourceHealth(row, now) === wanted).map((row) => row.source.name);
  for (const state of ["failed", "never", "late", "first"] as const) {
    const names = by(state);
    if (names.length > 0) return { state, names, lastSuccess: summary.last_success };
  }
  return { state: "ok", names: [], lastSuccess: summary.last_success };
}

/** The summary as if only one database were there; all of it when the id is unknown. */
export function onlySource(summary: Summary, id: string | null): Summary {
  const rows = summary.sources.filter((row) => row.source.id === id);
  const row = rows[0];
  if (!row) return summary;
  return {
    ...summary,
    sources: rows,
    storage_bytes: row.storage_bytes,
    last_success: row.last_success?.started_at ?? null,
    next_run: row.next_run,
  };
}
