import type { components } from "./schema";

type Schemas = components["schemas"];

export type Problem = Schemas["Problem"];
export type Session = Schemas["Session"];
export type User = Schemas["User"];
export type BackupType = Schemas["BackupType"];
export type ExecutionStatus = Schemas["ExecutionStatus"];
export type Execution = Schemas["Execution"];
export type ExecutionBrief = Schemas["ExecutionBrief"];
export type ExecutionDetail = Schemas["ExecutionDetail"];
export type ExecutionList = Schemas["ExecutionList"];
export type ExecuteRequest = Schemas["ExecuteRequest"];
export type ExecuteResponse = Schemas["ExecuteResponse"];
export type Progress = Schemas["Progress"];
export type Phase = Schemas["Phase"];
export type PhaseName = Schemas["PhaseName"];
export type TableDetail = Schemas["TableDetail"];
export type Summary = Schemas["Summary"];
export type SourceSummary = Summary["sources"][number];
export type Source = Schemas["Source"];
export type SourceSettings = Schemas["SourceSettings"];
export type SourceInput = Schemas["SourceInput"];
export type SourceList = Schemas["SourceList"];
export type SourceTest = Schemas["SourceTest"];
export type Download = Schemas["Download"];
export type Warning = Schemas["Warning"];
export type Ledger = Schemas["Ledger"];
export type LedgerItem = Schemas["LedgerItem"];
export type LedgerStatus = Schemas["LedgerStatus"];
export type LedgerSummary = Schemas["LedgerSummary"];

/** How one run ended, or that it has not; a cancelled run is not a failed one to the reader. */
export type Outcome = ExecutionStatus | "canceled" | "warned";

export function outcomeOf(run: {
  status: ExecutionStatus;
  canceled: boolean;
  warning_count?: number;
}): Outcome {
  if (run.status === "failed" && run.canceled) return "canceled";
  if (run.status === "completed" && (run.warning_count ?? 0) > 0) return "warned";
  return run.status;
}

export function isActive(run: { status: ExecutionStatus } | null | undefined): boolean {
  return run?.status === "running" || run?.status === "pending";
}
