import clsx from "clsx";
import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import type { Log } from "@/api/logs";
import { useFormat } from "@/format/use-format";
import { Skeleton } from "@/ui/states";
import { useMedia } from "@/ui/use-media";
import { useWindowRows } from "@/ui/window-rows";
import { Level, looks } from "./level";
import { textOf, valueAt } from "./metadata";

/** Entries, newest first; only those near the window are drawn. */
export function LogList({
  logs,
  open,
  columns,
  onColumns,
  more,
  loadingMore,
  onMore,
}: {
  logs: Log[];
  open: string | null;
  /** Paths of metadata that have a column of their own. */
  columns: string[];
  onColumns: (columns: string[]) => void;
  more: boolean;
  loadingMore: boolean;
  onMore: () => void;
}) {
  const { t } = useTranslation();
  const wide = useMedia("(min-width: 48rem)");
  const height = wide ? 28 : 52;
  const { body, items, total, top } = useWindowRows<HTMLOListElement>({
    count: logs.length,
    height,
    getKey: (index) => logs[index]?.id,
    more,
    loadingMore,
    onMore,
  });
  return (
    <div className="card overflow-hidden">
      {wide && columns.length > 0 && <Heads columns={columns} onColumns={onColumns} />}
      <ol ref={body} aria-label={t("logs.list")} className="relative" style={{ height: total }}>
        {items.map((item) => {
          const log = logs[item.index]!;
          return (
            <li
              key={log.id}
              data-index={item.index}
              aria-posinset={item.index + 1}
              aria-setsize={more ? -1 : logs.length}
              className={clsx(
                "absolute inset-x-0 border-line border-b font-mono text-[12.5px] leading-5 focus-within:bg-hover hover:bg-hover",
                open === log.id && "bg-accent-soft",
              )}
              style={{ height, transform: `translateY(${item.start - top}px)` }}
            >
              <Row log={log} columns={wide ? columns : []} />
            </li>
          );
        })}
      </ol>
      {more && (
        <div role="status" className="flex h-9 items-center justify-center text-[13px] text-ink-3">
          {t("logs.loading_more")}
        </div>
      )}
    </div>
  );
}

const cell = "truncate md:w-[130px]";

/** What the columns hold; a click takes one away. */
function Heads({ columns, onColumns }: { columns: string[]; onColumns: (columns: string[]) => void }) {
  const { t } = useTranslation();
  return (
    <div className="flex h-8 items-center gap-3 border-b bg-sunken pr-2 pl-3 text-[12px] text-ink-3">
      <span className="w-[150px] shrink-0">{t("logs.time")}</span>
      <span className="w-[76px] shrink-0">{t("logs.level")}</span>
      <span className={cell}>{t("logs.source")}</span>
      {columns.map((path) => (
        <button
          key={path}
          type="button"
          aria-label={t("logs.remove_column", { name: path })}
          title={path}
          onClick={() => onColumns(columns.filter((one) => one !== path))}
          className="inline-flex w-[130px] shrink-0 items-center gap-1 rounded hover:text-ink"
        >
          <span className="truncate font-mono">{path}</span>
          <X size={12} aria-hidden className="shrink-0" />
        </button>
      ))}
      <span>{t("logs.message")}</span>
    </div>
  );
}

function Row({ log, columns }: { log: Log; columns: string[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { search } = useLocation();
  const params = new URLSearchParams(search);
  params.set("log", log.id);
  const time = format.dateTime(log.created_at, "log");
  return (
    <>
      <span
        aria-hidden
        className="absolute inset-y-0 left-0 w-[3px]"
        style={{ background: looks[log.level].fill }}
      />
      <Link
        to={{ search: params.toString() }}
        aria-label={`${t(`level.${log.level}`)}, ${log.source}, ${time}: ${log.message.slice(0, 200)}`}
        className="flex h-full min-w-0 flex-col justify-center pr-2 pl-3 outline-offset-[-2px] md:flex-row md:items-center md:justify-start md:gap-3"
      >
        <span className="flex shrink-0 items-center gap-3">
          <time dateTime={log.created_at} className="num whitespace-nowrap text-ink-3 md:w-[150px]">
            {time}
          </time>
          <Level level={log.level} className="font-sans md:w-[76px]" />
          <span className={clsx(cell, "text-ink-2")}>{log.source}</span>
          {columns.map((path) => {
            const value = textOf(valueAt(log.metadata, path));
            return (
              <span key={path} className={cell} title={value}>
                {value || "—"}
              </span>
            );
          })}
        </span>
        <span className="min-w-0 flex-none truncate md:flex-1">
          <Highlighted text={log.message} spans={log.highlights} />
        </span>
      </Link>
    </>
  );
}

/** The message with what was found marked; offsets are UTF-16, as JavaScript's own. */
export function Highlighted({ text, spans }: { text: string; spans?: number[][] }) {
  if (!spans?.length) return <>{text}</>;
  const parts = [];
  let at = 0;
  for (const [start = 0, end = 0] of spans) {
    if (start < at || end <= start || end > text.length) continue;
    if (start > at) parts.push(text.slice(at, start));
    parts.push(
      <mark key={start} className="rounded-[2px] bg-warn-soft text-ink ring-1 ring-warn-fill/60">
        {text.slice(start, end)}
      </mark>,
    );
    at = end;
  }
  parts.push(text.slice(at));
  return <>{parts}</>;
}

export function LogListSkeleton() {
  const { t } = useTranslation();
  return (
    <div className="card" role="status">
      <span className="sr-only">{t("state.loading")}</span>
      {Array.from({ length: 14 }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: places without content
        <div key={i} className="flex h-[52px] items-center gap-3 border-b px-3 last:border-b-0 md:h-7">
          <Skeleton className="h-3.5 w-32" />
          <Skeleton className="h-3.5 w-16" />
          <Skeleton className="h-3.5 flex-1" />
        </div>
      ))}
    </div>
  );
}
