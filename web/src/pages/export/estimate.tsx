import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { histogramQuery, type Log, type LogQuery, searchQuery } from "@/api/logs";
import { useServices } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { ErrorPanel, Skeleton } from "@/ui/states";
import { Bars } from "../logs/bars";
import { atOnce, type Choices, columns, isCompressed, pdfLimit, sheetRows } from "./choices";

/** How many entries there are, counted before anything is made. */
export function useEstimate(asked: LogQuery) {
  const { api } = useServices();
  return useQuery({ ...histogramQuery(api, asked), placeholderData: (previous) => previous });
}

export function Estimate({
  asked,
  choices,
  estimate,
}: {
  asked: LogQuery;
  choices: Choices;
  estimate: ReturnType<typeof useEstimate>;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const size = useSize(asked, choices, estimate.data?.total ?? 0);
  if (estimate.isError && !estimate.data) {
    return (
      <ErrorPanel
        compact
        error={estimate.error}
        title={t("error.estimate")}
        onRetry={() => void estimate.refetch()}
      />
    );
  }
  const data = estimate.data;
  if (!data) {
    return (
      <div role="status">
        <span className="sr-only">{t("state.loading")}</span>
        <Skeleton className="h-7 w-44" />
        <Skeleton className="mt-2 h-12" />
      </div>
    );
  }
  const notes = notesOf(data.total, choices).map(({ key, count }) =>
    t(key, { count, formatted: format.number(count) }),
  );
  return (
    <div className={estimate.isPlaceholderData ? "opacity-60 transition-opacity" : undefined}>
      <p aria-live="polite" className="flex flex-wrap items-baseline gap-x-2">
        <span className="num font-semibold text-[20px] tracking-[-0.01em]">
          {data.exact ? "" : "≥ "}
          {t("logs.entries", { count: data.total, formatted: format.number(data.total) })}
        </span>
        {size !== null && data.total > 0 && (
          <span className="num text-ink-2">
            {t(choices.gzip && !isCompressed(choices.format) ? "export.size_before_gzip" : "export.size", {
              size: format.bytes(size),
            })}
          </span>
        )}
      </p>
      <div className="mt-2">
        <Bars data={data} height={44} />
      </div>
      {notes.map((note) => (
        <p key={note} className="mt-1.5 text-[13px] text-ink-2">
          {note}
        </p>
      ))}
    </div>
  );
}

/** What the number of entries means for the file. */
export function notesOf(total: number, { format }: Choices): { key: string; count: number }[] {
  const notes: { key: string; count: number }[] = [];
  if (format === "pdf" && total > pdfLimit) notes.push({ key: "export.pdf_limit", count: total - pdfLimit });
  if (format === "xlsx" && total > sheetRows) {
    notes.push({ key: "export.sheets", count: Math.ceil(total / sheetRows) });
  }
  if (format !== "pdf" && total > atOnce) notes.push({ key: "export.worker", count: total });
  return notes;
}

/** About how large a file of text will be, by the newest entries; null for formats that compress by themselves. */
function useSize(asked: LogQuery, choices: Choices, total: number): number | null {
  const { api } = useServices();
  const { data } = useInfiniteQuery(searchQuery(api, asked));
  const sample = data?.pages[0]?.logs;
  if (!sample?.length || isCompressed(choices.format)) return null;
  const bytes = sample.reduce((sum, log) => sum + sizeOf(log, choices), 0);
  return (bytes / sample.length) * total;
}

const encoder = new TextEncoder();

export function sizeOf(log: Log, { format, cols }: Choices): number {
  const chosen = columns.filter((column) => cols.length === 0 || cols.includes(column));
  if (format !== "csv") {
    return encoder.encode(JSON.stringify(Object.fromEntries(chosen.map((c) => [c, log[c]])))).length + 1;
  }
  const cells = chosen.map((column) => {
    const value = log[column];
    const text = value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return encoder.encode(cells.join(",")).length + 2;
}
