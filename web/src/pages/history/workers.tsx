import { useTranslation } from "react-i18next";
import type { ExecutionDetail } from "@/api/types";
import { useFormat } from "@/format/use-format";

/** What each helping worker copied: a place in which functions follow one another. */
export function Workers({ workers }: { workers: ExecutionDetail["workers"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const most = Math.max(1, ...workers.map((worker) => worker.raw_bytes));
  return (
    <section>
      <h3 className="mb-2 font-semibold">{t("detail.workers")}</h3>
      <ul className="flex flex-col gap-2">
        {workers.map((worker) => (
          <li key={worker.name}>
            <div className="flex flex-wrap items-baseline justify-between gap-x-3 text-[13px]">
              <span className="font-medium">
                {worker.name}
                {worker.active && <span className="ml-2 font-normal text-run">{t("status.running")}</span>}
              </span>
              <span className="num text-ink-2">
                {t("detail.table_chunks", { count: worker.chunks, formatted: format.number(worker.chunks) })}{" "}
                · {t("detail.table_rows", { count: worker.rows, formatted: format.number(worker.rows) })} ·{" "}
                {format.bytes(worker.raw_bytes)}
                {worker.starts > 1 &&
                  ` · ${t("detail.starts", { count: worker.starts, formatted: format.number(worker.starts) })}`}
              </span>
            </div>
            <div aria-hidden className="mt-1 h-1.5 overflow-hidden rounded-full bg-sunken">
              <div
                className="h-full rounded-full bg-accent"
                style={{ width: `${(worker.raw_bytes / most) * 100}%` }}
              />
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
