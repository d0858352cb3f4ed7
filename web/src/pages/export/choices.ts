import { parseAsArrayOf, parseAsBoolean, parseAsStringLiteral, useQueryStates } from "nuqs";
import type { ExportColumn, ExportFormat, LogExportRequest, MaskRule } from "@/api/exports";
import { boundsOf, namedFilters, type Query } from "../logs/query";

export const formats: ExportFormat[] = ["csv", "json", "ndjson", "pdf", "xlsx", "parquet"];
export const columns: ExportColumn[] = [
  "created_at",
  "level",
  "source",
  "message",
  "metadata",
  "user_id",
  "session_id",
  "pattern_id",
  "id",
];
export const maskRules: MaskRule[] = ["email", "cpf", "cnpj", "card", "token"];

/** What the API makes within the request; more is made by a worker. */
export const atOnce = 20_000;
export const pdfLimit = 5_000;
export const sheetRows = 1_048_575;

/** These are compressed by themselves. */
export const isCompressed = (format: ExportFormat) => ["pdf", "xlsx", "parquet"].includes(format);

/** How the file is to be, in the address beside the query. No column named is all of them. */
export function useExportChoices() {
  return useQueryStates(
    {
      format: parseAsStringLiteral(formats).withDefault("csv"),
      cols: parseAsArrayOf(parseAsStringLiteral(columns)).withDefault([]),
      mask: parseAsArrayOf(parseAsStringLiteral(maskRules)).withDefault([]),
      gzip: parseAsBoolean.withDefault(false),
    },
    { history: "replace" },
  );
}

export type Choices = ReturnType<typeof useExportChoices>[0];
export type SetChoices = ReturnType<typeof useExportChoices>[1];

/** The request; a range that ends now ends at this moment. */
export function requestOf(query: Query, choices: Choices, now: number, timezone: string): LogExportRequest {
  const bounds = boundsOf(query, now);
  return {
    format: choices.format,
    filters: namedFilters(query),
    date_range: { start: bounds.start_date, end: bounds.end_date ?? new Date(now).toISOString() },
    columns: choices.cols.length ? choices.cols : undefined,
    gzip: choices.gzip && !isCompressed(choices.format),
    mask: choices.mask.length ? choices.mask : undefined,
    timezone,
  };
}
