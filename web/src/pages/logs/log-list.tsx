import { useWindowVirtualizer } from "@tanstack/react-virtual";
import clsx from "clsx";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import type { Log } from "@/api/logs";
import { useFormat } from "@/format/use-format";
import { Skeleton } from "@/ui/states";
import { useMedia } from "@/ui/use-media";
import { useRowKeys } from "../history/keys";
import { Level, looks } from "./level";

/** Entries, newest first; only those near the window are drawn. */
export function LogList({
  logs,
  open,
  more,
  loadingMore,
  onMore,
}: {
  logs: Log[];
  open: string | null;
  more: boolean;
  loadingMore: boolean;
  onMore: () => void;
}) {
  const { t } = useTranslation();
  const wide = useMedia("(min-width: 48rem)");
  const body = useRef<HTMLOListElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setTop((body.current?.getBoundingClientRect().top ?? 0) + globalThis.scrollY);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  const height = wide ? 28 : 52;
  const virtual = useWindowVirtualizer({
    count: logs.length,
    estimateSize: () => height,
    overscan: 20,
    scrollMargin: top,
    getItemKey: (index) => logs[index]?.id ?? index,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height is what makes the measurements stale
  useEffect(() => virtual.measure(), [virtual, height]);
  const items = virtual.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (more && !loadingMore && lastIndex >= logs.length - 20) onMore();
  }, [more, loadingMore, lastIndex, logs.length, onMore]);
  useRowKeys({
    count: logs.length,
    focus: (index) => {
      virtual.scrollToIndex(index, { align: "auto" });
      const focusRow = () => body.current?.querySelector<HTMLElement>(`[data-index="${index}"] a`)?.focus();
      focusRow();
      if (!document.activeElement?.closest(`[data-index="${index}"]`)) requestAnimationFrame(focusRow);
    },
  });
  return (
    <div className="card overflow-hidden">
      <ol
        ref={body}
        aria-label={t("logs.list")}
        className="relative"
        style={{ height: virtual.getTotalSize() }}
      >
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
              <Row log={log} />
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

function Row({ log }: { log: Log }) {
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
          <span className="truncate text-ink-2 md:w-[130px]">{log.source}</span>
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
