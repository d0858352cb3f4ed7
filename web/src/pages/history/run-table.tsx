import { createColumnHelper, tableFeatures, useTable } from "@tanstack/react-table";
import { CalendarClock, Hand } from "lucide-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import { type Execution, isActive, outcomeOf } from "@/api/types";
import { useNow } from "@/app/now";
import { useFormat } from "@/format/use-format";
import { Skeleton } from "@/ui/states";
import { StatusBadge } from "@/ui/status";
import { Time } from "@/ui/time";
import { useMedia } from "@/ui/use-media";
import { useWindowRows } from "@/ui/window-rows";

const features = tableFeatures({});
const column = createColumnHelper<typeof features, Execution>();

/** Which columns are left on narrow screens; what is hidden there is in the row's second line. */
const classes: Record<string, string> = {
  status: "w-[134px] md:w-[148px]",
  source: "",
  started: "w-[98px] text-right md:w-[150px] md:text-left max-md:[&_time]:whitespace-normal",
  type: "hidden w-[116px] lg:table-cell",
  trigger: "hidden w-[190px] xl:table-cell",
  duration: "hidden w-[104px] text-right md:table-cell",
  size: "hidden w-[96px] text-right md:table-cell",
  rows: "hidden w-[110px] text-right lg:table-cell",
};

const outcome = (run: Execution) => outcomeOf({ ...run, warning_count: run.warnings.length });

export function RunTable({
  runs,
  more,
  onMore,
  loadingMore,
}: {
  runs: Execution[];
  more: boolean;
  onMore: () => void;
  loadingMore: boolean;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const wide = useMedia("(min-width: 48rem)");
  const columns = useMemo(
    () =>
      column.columns([
        column.display({
          id: "status",
          header: () => t("column.status"),
          cell: ({ row }) => <StatusBadge outcome={outcome(row.original)} plain />,
        }),
        column.display({
          id: "source",
          header: () => t("column.source"),
          cell: ({ row }) => <RunLink run={row.original} />,
        }),
        column.display({
          id: "started",
          header: () => t("column.started"),
          cell: ({ row }) => <Time iso={row.original.started_at} />,
        }),
        column.display({
          id: "type",
          header: () => t("column.type"),
          cell: ({ row }) => t(`type.${row.original.type}`),
        }),
        column.display({
          id: "trigger",
          header: () => t("column.trigger"),
          cell: ({ row }) => <Trigger run={row.original} />,
        }),
        column.display({
          id: "duration",
          header: () => t("column.duration"),
          cell: ({ row }) => <Duration run={row.original} />,
        }),
        column.display({
          id: "size",
          header: () => t("column.size"),
          cell: ({ row: { original: run } }) =>
            run.size_bytes === null ? "—" : format.bytes(run.size_bytes),
        }),
        column.display({
          id: "rows",
          header: () => t("column.rows"),
          cell: ({ row: { original: run } }) => (run.rows === null ? "—" : format.number(run.rows)),
        }),
      ]),
    [t, format],
  );
  const table = useTable({ features, columns, data: runs, getRowId: (run) => run.id });
  const rows = table.getRowModel().rows;

  const height = wide ? 36 : 56;
  const { body, items, total, top } = useWindowRows<HTMLTableSectionElement>({
    count: rows.length,
    height,
    getKey: (index) => rows[index]?.id,
    more,
    loadingMore,
    onMore,
  });
  const above = items[0] ? items[0].start - top : 0;
  const last = items.at(-1);
  const below = last ? total - (last.end - top) : 0;

  return (
    <div className="card">
      <table className="w-full table-fixed border-collapse" aria-rowcount={more ? -1 : rows.length + 1}>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id} className="border-b">
              {group.headers.map((header) => (
                <th
                  key={header.id}
                  scope="col"
                  className={`h-9 px-2 text-left font-medium text-[12px] text-ink-3 first:pl-4 last:pr-4 ${classes[header.id]}`}
                >
                  <table.FlexRender header={header} />
                </th>
              ))}
            </tr>
          ))}
        </thead>
        <tbody ref={body}>
          {above > 0 && <tr aria-hidden style={{ height: above }} />}
          {items.map((item) => {
            const row = rows[item.index]!;
            return (
              <tr
                key={row.id}
                data-index={item.index}
                aria-rowindex={item.index + 2}
                style={{ height }}
                className="relative border-line border-b last:border-b-0 focus-within:bg-hover hover:bg-hover"
              >
                {row.getAllCells().map((cell) => (
                  <td
                    key={cell.id}
                    className={`num truncate px-2 first:pl-4 last:pr-4 ${classes[cell.column.id]}`}
                  >
                    <table.FlexRender cell={cell} />
                  </td>
                ))}
              </tr>
            );
          })}
          {below > 0 && <tr aria-hidden style={{ height: below }} />}
        </tbody>
      </table>
      {more && (
        <div role="status" className="flex h-10 items-center justify-center border-t text-[13px] text-ink-3">
          {t("history.loading_more")}
        </div>
      )}
    </div>
  );
}

/** The row's one link, stretched over all of it; the filters stay in the address. */
function RunLink({ run }: { run: Execution }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { search } = useLocation();
  const params = new URLSearchParams(search);
  params.set("run", run.id);
  params.delete("view");
  return (
    <>
      <Link
        to={{ search: params.toString() }}
        aria-label={t("history.open", {
          name: run.source_name,
          status: t(`status.${outcome(run)}`),
          time: format.dateTime(run.started_at, "full"),
        })}
        className="font-medium outline-offset-[-2px] after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-accent focus-visible:after:-outline-offset-2"
      >
        {run.source_name}
      </Link>
      <span className="block truncate text-[12px] text-ink-3 md:hidden">
        {[t(`type.${run.type}`), run.size_bytes !== null && format.bytes(run.size_bytes)]
          .filter(Boolean)
          .join(" · ")}
      </span>
    </>
  );
}

export function Trigger({ run }: { run: Execution }) {
  const { t } = useTranslation();
  const Icon = run.trigger === "manual" ? Hand : CalendarClock;
  const text = run.trigger === "manual" ? t("trigger.manual") : (run.schedule_name ?? t("trigger.schedule"));
  return (
    <span className="flex items-center gap-1.5" title={text}>
      <Icon size={14} aria-hidden className="shrink-0 text-ink-3" />
      <span className="truncate">{text}</span>
    </span>
  );
}

export function Duration({ run }: { run: Execution }) {
  const format = useFormat();
  const now = useNow();
  if (isActive(run))
    return <>{format.duration(Math.max(0, Math.floor((now - Date.parse(run.started_at)) / 1000)))}</>;
  return <>{run.duration_seconds === null ? "—" : format.duration(run.duration_seconds)}</>;
}

export function RunTableSkeleton() {
  const { t } = useTranslation();
  return (
    <div className="card" role="status">
      <span className="sr-only">{t("state.loading")}</span>
      <div className="h-9 border-b" />
      {Array.from({ length: 10 }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: places without content
        <div key={i} className="flex h-14 items-center gap-6 border-b px-4 last:border-b-0 md:h-9">
          <Skeleton className="h-4 w-24" />
          <Skeleton className="h-4 flex-1" />
          <Skeleton className="h-4 w-24" />
        </div>
      ))}
    </div>
  );
}
