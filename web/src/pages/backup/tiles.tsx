import { CalendarClock, CircleCheckBig, HardDrive, type LucideIcon, RotateCcw } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Summary } from "@/api/types";
import { useNow } from "@/app/now";
import { useFormat } from "@/format/use-format";
import { Skeleton } from "@/ui/states";
import { Time } from "@/ui/time";

/** The four figures; without a summary, places of the same size. */
export function Tiles({ summary }: { summary: Summary | undefined }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow();
  const s = summary;
  const missed = s?.next_run ? Date.parse(s.next_run) < now : false;
  return (
    <dl className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      <Tile icon={CircleCheckBig} label={t("tile.last_good")} ready={Boolean(s)}>
        {s?.last_success ? (
          <Figure
            main={<Time iso={s.last_success} relative focusable />}
            sub={format.dateTime(s.last_success)}
          />
        ) : (
          <Figure main={t("tile.none_yet")} sub={t("tile.last_good_none")} />
        )}
      </Tile>
      <Tile icon={CalendarClock} label={t("tile.next_run")} ready={Boolean(s)}>
        {s?.next_run ? (
          <Figure
            main={missed ? t("tile.due") : <Time iso={s.next_run} relative focusable />}
            sub={format.dateTime(s.next_run)}
          />
        ) : (
          <Figure main={t("tile.not_scheduled")} sub={t("tile.not_scheduled_sub")} />
        )}
      </Tile>
      <Tile icon={HardDrive} label={t("tile.storage")} ready={Boolean(s)}>
        {s && (
          <Figure
            main={<span className="num">{format.bytes(s.storage_bytes)}</span>}
            sub={t("tile.backups", { count: s.backups, formatted: format.number(s.backups) })}
          />
        )}
      </Tile>
      <Tile icon={RotateCcw} label={t("tile.restore_tested")} ready={Boolean(s)}>
        {s?.last_restore_test ? (
          <Figure
            main={<Time iso={s.last_restore_test} relative focusable />}
            sub={format.dateTime(s.last_restore_test)}
          />
        ) : (
          <Figure main={t("tile.never")} sub={t("tile.never_tested")} />
        )}
      </Tile>
    </dl>
  );
}

function Tile({
  icon: Icon,
  label,
  ready,
  children,
}: {
  icon: LucideIcon;
  label: string;
  ready: boolean;
  children: ReactNode;
}) {
  return (
    <div className="card min-w-0 px-4 py-3.5">
      <dt className="flex items-center gap-1.5 text-[13px] text-ink-2">
        <Icon size={14} aria-hidden className="shrink-0 text-ink-3" />
        <span className="truncate">{label}</span>
      </dt>
      <dd className="mt-1.5 h-[46px]">
        {ready ? (
          children
        ) : (
          <>
            <Skeleton className="mt-1 h-5 w-28 max-w-full" />
            <Skeleton className="mt-2.5 h-3 w-20 max-w-full" />
          </>
        )}
      </dd>
    </div>
  );
}

function Figure({ main, sub }: { main: ReactNode; sub: string }) {
  return (
    <>
      <span className="block truncate font-semibold text-[18px] leading-6 tracking-[-0.01em]">{main}</span>
      <span className="num block truncate text-[13px] text-ink-3">{sub}</span>
    </>
  );
}
