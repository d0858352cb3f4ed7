import { Table2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { type ExecutionDetail, isActive } from "@/api/types";
import { useFormat } from "@/format/use-format";
import { CopyButton, EmptyState } from "@/ui/states";

/** What each table holds in this backup, and the hash that proves it. */
export function TableBars({ run }: { run: ExecutionDetail }) {
  const { t } = useTranslation();
  const format = useFormat();
  const tables = run.table_details;
  const largest = Math.max(1, ...tables.map((table) => table.raw_bytes));
  if (tables.length === 0) {
    return (
      <EmptyState icon={<Table2 size={20} aria-hidden />} title={t("detail.no_tables")}>
        {isActive(run) ? t("detail.no_tables_yet") : t("detail.no_tables_text")}
      </EmptyState>
    );
  }
  return (
    <>
      <p className="mb-3 text-[13px] text-ink-2">{t("detail.tables_text")}</p>
      <ul className="flex flex-col divide-y divide-line">
        {tables.map((table) => (
          <li key={`${table.schema}.${table.name}`} className="py-2.5 first:pt-0">
            <div className="flex flex-wrap items-baseline justify-between gap-x-3">
              <span className="min-w-0 break-words" title={`${table.schema}.${table.name}`}>
                <span className="text-ink-3">{table.schema}.</span>
                <span className="font-medium">{table.name}</span>
              </span>
              <span className="num shrink-0 text-[13px] text-ink-2">
                {t("detail.table_rows", { count: table.rows, formatted: format.number(table.rows) })} ·{" "}
                {format.bytes(table.raw_bytes)} → {format.bytes(table.stored_bytes)}
              </span>
            </div>
            <div aria-hidden className="relative mt-1.5 h-1.5 overflow-hidden rounded-full bg-sunken">
              <div
                className="absolute inset-y-0 left-0 rounded-full bg-accent opacity-35"
                style={{ width: `${(table.raw_bytes / largest) * 100}%` }}
              />
              <div
                className="absolute inset-y-0 left-0 rounded-full bg-accent"
                style={{ width: `${(table.stored_bytes / largest) * 100}%` }}
              />
            </div>
            <div className="mt-1 flex min-h-6 flex-wrap items-center gap-x-3 text-[12px] text-ink-3">
              <span className="num">
                {table.chunks_done < table.chunks
                  ? t("detail.chunks_of", {
                      done: format.number(table.chunks_done),
                      count: table.chunks,
                      formatted: format.number(table.chunks),
                    })
                  : t("detail.table_chunks", { count: table.chunks, formatted: format.number(table.chunks) })}
              </span>
              {table.content_hash && (
                <span className="flex min-w-0 items-center gap-1">
                  <span className="whitespace-nowrap max-sm:sr-only">{t("detail.hash")}</span>
                  <code className="truncate font-mono">{table.content_hash}</code>
                  <CopyButton text={table.content_hash} label={t("detail.copy_hash", { name: table.name })} />
                </span>
              )}
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}
