import clsx from "clsx";
import { PanelRightOpen } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import type { LogLevel } from "@/api/logs";
import type { LogPattern } from "@/api/patterns";
import { useFormat } from "@/format/use-format";
import { Skeleton } from "@/ui/states";
import { Time } from "@/ui/time";
import { useMedia } from "@/ui/use-media";
import { useWindowRows } from "@/ui/window-rows";
import { Level } from "../logs/level";
import { carry } from "../logs/query";
import { Template } from "../logs/template";
import { Badges } from "./badges";
import { MuteButton } from "./mute-button";
import { Trend } from "./trend";

const grid =
  "md:grid md:grid-cols-[minmax(0,1fr)_128px_104px_72px] lg:grid-cols-[minmax(0,1fr)_144px_104px_116px_116px_72px] md:items-center md:gap-x-4";
const height = { wide: 60, narrow: 124 };

/** Patterns in the chosen order; a click leads to the entries that have one. */
export function PatternList({
  patterns,
  open,
  more,
  loadingMore,
  onMore,
}: {
  patterns: LogPattern[];
  open: string | null;
  more: boolean;
  loadingMore: boolean;
  onMore: () => void;
}) {
  const { t } = useTranslation();
  const wide = useMedia("(min-width: 48rem)");
  const { body, items, total, top } = useWindowRows<HTMLOListElement>({
    count: patterns.length,
    height: wide ? height.wide : height.narrow,
    getKey: (index) => patterns[index]?.id,
    more,
    loadingMore,
    onMore,
  });
  return (
    <div className="card overflow-hidden">
      <div aria-hidden className={clsx("hidden h-9 border-b px-4 font-medium text-[12px] text-ink-3", grid)}>
        <span>{t("patterns.template")}</span>
        <span>{t("patterns.trend")}</span>
        <span className="text-right">{t("patterns.count")}</span>
        <span className="hidden lg:inline">{t("patterns.first_seen")}</span>
        <span className="hidden lg:inline">{t("patterns.last_seen")}</span>
        <span />
      </div>
      <ol ref={body} aria-label={t("patterns.list")} className="relative" style={{ height: total }}>
        {items.map((item) => {
          const pattern = patterns[item.index]!;
          return (
            <li
              key={pattern.id}
              data-index={item.index}
              aria-posinset={item.index + 1}
              aria-setsize={more ? -1 : patterns.length}
              className={clsx(
                "absolute inset-x-0 border-line border-b px-4 focus-within:bg-hover hover:bg-hover max-md:flex max-md:flex-col max-md:justify-center max-md:gap-1.5",
                grid,
                open === pattern.id && "bg-accent-soft",
              )}
              style={{ height: item.size, transform: `translateY(${item.start - top}px)` }}
            >
              <Row pattern={pattern} />
            </li>
          );
        })}
      </ol>
      {more && (
        <div role="status" className="flex h-9 items-center justify-center text-[13px] text-ink-3">
          {t("history.loading_more")}
        </div>
      )}
    </div>
  );
}

/** The entries of a pattern, in the range that the list counts. */
export function entriesOf(pattern: LogPattern, search: string): string {
  const params = new URLSearchParams(carry(search, ["level", "from", "range", "start", "end"]));
  params.set("pattern", pattern.id);
  return `/admin/logs?${params}`;
}

function Row({ pattern }: { pattern: LogPattern }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { search } = useLocation();
  const params = new URLSearchParams(search);
  params.set("open", pattern.id);
  // A template may have thousands of characters; no line is that long.
  const template = pattern.template.slice(0, 200);
  const count = t("logs.entries", { count: pattern.count, formatted: format.number(pattern.count) });
  return (
    <>
      <div className="min-w-0">
        <Link
          to={entriesOf(pattern, search)}
          title={pattern.template}
          className="block font-mono text-[12.5px] leading-5 after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-accent focus-visible:after:-outline-offset-2 max-md:line-clamp-2 md:truncate"
        >
          <Template text={template} />
          <span className="sr-only">: {count}</span>
        </Link>
        <div className="mt-0.5 flex min-w-0 items-center gap-x-2.5 overflow-hidden text-[12.5px]">
          <Level level={pattern.level as LogLevel} />
          <span className="truncate text-ink-2">{pattern.source}</span>
          <Badges pattern={pattern} />
        </div>
      </div>
      <div className="max-md:flex max-md:items-center max-md:gap-3 md:contents">
        <div className="h-7 min-w-0 max-md:flex-1">
          {pattern.trend && (
            <Trend
              trend={pattern.trend}
              width={144}
              height={28}
              className={pattern.surging ? "fill-warn-fill" : "fill-accent"}
            />
          )}
        </div>
        <div className="num text-right leading-[18px]">
          <p className="font-medium">{format.number(pattern.count)}</p>
          <p className="text-[12px] text-ink-3">{format.share(pattern.share)}</p>
        </div>
        <div className="hidden truncate text-[13px] text-ink-2 lg:block">
          <Time iso={pattern.first_seen_at} relative />
        </div>
        <div className="hidden truncate text-[13px] text-ink-2 lg:block">
          <Time iso={pattern.last_seen_at} relative />
        </div>
        <div className="relative z-[1] flex justify-end">
          <Link
            to={{ search: params.toString() }}
            aria-label={t("patterns.details_of", { template: pattern.template.slice(0, 80) })}
            title={t("action.details")}
            className="inline-flex size-7 items-center justify-center rounded-control text-ink-2 hover:bg-sunken hover:text-ink"
          >
            <PanelRightOpen size={15} aria-hidden />
          </Link>
          <MuteButton pattern={pattern} />
        </div>
      </div>
    </>
  );
}

export function PatternListSkeleton() {
  const { t } = useTranslation();
  return (
    <div className="card" role="status">
      <span className="sr-only">{t("state.loading")}</span>
      <div className="hidden h-9 border-b md:block" />
      {Array.from({ length: 10 }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: places without content
        <div key={i} className="flex h-[124px] items-center gap-6 border-b px-4 last:border-b-0 md:h-[60px]">
          <div className="flex-1">
            <Skeleton className="h-4 w-4/5" />
            <Skeleton className="mt-2 h-3 w-40" />
          </div>
          <Skeleton className="h-7 w-36 max-md:hidden" />
          <Skeleton className="h-4 w-16" />
        </div>
      ))}
    </div>
  );
}
