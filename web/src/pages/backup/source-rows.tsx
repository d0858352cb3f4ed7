import { Play } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { isActive, outcomeOf, type SourceSummary } from "@/api/types";
import { useNow } from "@/app/now";
import { usePermission } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { Skeleton } from "@/ui/states";
import { StatusBadge, StatusIcon } from "@/ui/status";
import { Time } from "@/ui/time";
import { RunStrip } from "./strip";

const columns = "lg:grid-cols-[minmax(0,1.3fr)_minmax(0,1fr)_246px_minmax(0,0.8fr)_minmax(0,0.6fr)_auto]";

/** A row per database: a grid on a desk, a card each on a phone. */
export function SourceRows({ rows, onRun }: { rows: SourceSummary[]; onRun: (sourceId: string) => void }) {
  const { t } = useTranslation();
  const head = ["source.name", "source.last", "source.strip", "source.next", "source.storage"];
  return (
    <section aria-label={t("source.heading")} className="card">
      <div
        aria-hidden
        className={`hidden gap-4 border-b px-4 py-2 text-[12px] text-ink-3 lg:grid ${columns}`}
      >
        {head.map((key) => (
          <span key={key}>{t(key)}</span>
        ))}
        <span className="w-[88px]" />
      </div>
      <ul className="divide-y divide-line">
        {rows.map((row) => (
          <Row key={row.source.id} row={row} onRun={onRun} />
        ))}
      </ul>
    </section>
  );
}

function Row({ row, onRun }: { row: SourceSummary; onRun: (sourceId: string) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow();
  const allowed = usePermission("backup.run");
  const { source, last_success: last } = row;
  const running = isActive(row.running);
  const newest = row.recent.at(-1);
  return (
    <li
      className={`grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-3 px-4 py-3 lg:grid ${columns}`}
    >
      <div className="min-w-0">
        <Link
          to={`/admin/backup/history?source=${source.id}`}
          className="block truncate rounded font-semibold hover:text-accent hover:underline"
        >
          {source.name}
        </Link>
        <p
          className="truncate text-[13px] text-ink-3"
          title={`${source.host}:${source.port}/${source.database}`}
        >
          {source.database} · {source.host}
        </p>
      </div>
      <div className="order-3 col-span-2 flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1 lg:order-none lg:col-span-1 lg:block">
        {running ? (
          <StatusBadge outcome={row.running!.status} plain />
        ) : newest ? (
          <StatusBadge outcome={outcomeOf(newest)} plain />
        ) : (
          <span className="inline-flex items-center gap-1.5 font-medium text-[13px] text-ink-2">
            <StatusIcon outcome="never" size={14} />
            {t("source.never")}
          </span>
        )}
        {newest && !running && (
          <p className="text-[13px] text-ink-3">
            <Time iso={newest.started_at} relative />
          </p>
        )}
        {last && (newest?.id !== last.id || running) && (
          <p className="text-[13px] text-ink-3">
            {t("source.last_good")} <Time iso={last.started_at} relative />
          </p>
        )}
      </div>
      <div className="order-4 col-span-2 overflow-hidden lg:order-none lg:col-span-1">
        <RunStrip runs={row.recent} name={source.name} />
      </div>
      <div className="order-5 min-w-0 text-[13px] lg:order-none lg:text-[14px]">
        <span className="text-ink-3 lg:hidden">{t("source.next")}: </span>
        {row.next_run ? (
          Date.parse(row.next_run) < now ? (
            <span>{t("tile.due")}</span>
          ) : (
            <Time iso={row.next_run} relative />
          )
        ) : (
          <Link
            to={`/admin/backup/manage?source=${source.id}&edit=new`}
            className="rounded text-ink-2 underline decoration-line-strong underline-offset-2 hover:text-accent"
          >
            {t("source.unscheduled")}
          </Link>
        )}
      </div>
      <div className="num order-6 text-right text-[13px] lg:order-none lg:text-left lg:text-[14px]">
        {format.bytes(row.storage_bytes)}
      </div>
      <div className="order-2 flex w-[88px] justify-end lg:order-none">
        <Button
          size="sm"
          icon={<Play size={13} aria-hidden />}
          aria-label={t("source.run_now", { name: source.name })}
          reason={
            !allowed
              ? t("permission.missing", { permission: "backup.run" })
              : running
                ? t("run.already_running")
                : null
          }
          onClick={() => onRun(source.id)}
        >
          {t("action.run")}
        </Button>
      </div>
    </li>
  );
}

export function SourceRowsSkeleton() {
  return (
    <div className="card divide-y divide-line">
      {[0, 1].map((i) => (
        <div key={i} className="flex h-[65px] items-center gap-6 px-4">
          <div className="flex-1">
            <Skeleton className="h-4 w-32" />
            <Skeleton className="mt-2 h-3 w-44 max-w-full" />
          </div>
          <Skeleton className="hidden h-6 w-[237px] lg:block" />
          <Skeleton className="h-7 w-[88px]" />
        </div>
      ))}
    </div>
  );
}
