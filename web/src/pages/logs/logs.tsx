import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { FilterX, ScrollText } from "lucide-react";
import { parseAsArrayOf, parseAsString, useQueryState } from "nuqs";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { searchQuery } from "@/api/logs";
import { useNow } from "@/app/now";
import { useServices } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { EmptyState, ErrorPanel } from "@/ui/states";
import { useMedia } from "@/ui/use-media";
import { Facets } from "./facets";
import { Histogram } from "./histogram";
import { type Tail, useTail } from "./live";
import { LogDetail } from "./log-detail";
import { LogList, LogListSkeleton } from "./log-list";
import { filtersOf, isFiltered, noFilters, toApi, useLogQuery } from "./query";
import { QueryBar } from "./query-bar";

export function Logs() {
  const { t } = useTranslation();
  const { api } = useServices();
  const [query, set] = useLogQuery();
  const [open, setOpen] = useQueryState("log", parseAsString);
  const [columns, setColumns] = useQueryState("cols", parseAsArrayOf(parseAsString).withDefault([]));
  const docked = useMedia("(min-width: 80rem)");
  const scrolled = useScrolled();
  // A range that ends now moves on, and its list begins anew; not under the eyes of who reads further down.
  const asked = toApi(query, useHeld(useNow(), scrolled));
  const search = useInfiniteQuery({ ...searchQuery(api, asked), placeholderData: keepPreviousData });
  const tail = useTail(filtersOf(query), query.live, scrolled);
  const logs = useMemo(() => {
    const found = search.data?.pages.flatMap((page) => page.logs) ?? [];
    if (tail.logs.length === 0) return found;
    const live = new Set(tail.logs.map((log) => log.id));
    return [...tail.logs, ...found.filter((log) => !live.has(log.id))];
  }, [search.data, tail.logs]);
  const { fetchNextPage } = search;
  const onMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const last = search.data?.pages.at(-1);
  const zoomed = query.start !== null && query.end !== null;

  return (
    <div className="flex flex-col gap-4">
      <title>{`${t("page.logs")} · Guarda`}</title>
      <h1 className="sr-only">{t("page.logs")}</h1>
      <QueryBar query={query} set={set} />
      <Histogram
        query={asked}
        onZoom={(start, end) => void set({ start, end, live: false })}
        onWiden={zoomed ? () => void set({ start: null, end: null }) : undefined}
      />
      <div
        className={
          docked && open
            ? "grid grid-cols-[176px_minmax(0,1fr)_380px] items-start gap-4"
            : "grid items-start gap-4 lg:grid-cols-[200px_minmax(0,1fr)]"
        }
      >
        <details
          open={useMedia("(min-width: 64rem)")}
          className="max-lg:rounded-card max-lg:border max-lg:bg-surface max-lg:p-3 max-lg:shadow-card"
        >
          <summary className="font-medium lg:hidden">{t("logs.facets")}</summary>
          <div className="max-lg:mt-3">
            <Facets query={query} api={asked} set={set} />
          </div>
        </details>
        <div className="flex min-w-0 flex-col gap-3">
          {query.live && <LiveBar tail={tail} paused={scrolled} />}
          {search.isError && !search.isFetchNextPageError && (
            <ErrorPanel
              error={search.error}
              title={search.data ? t("error.stale") : t("error.logs")}
              onRetry={() => void search.refetch()}
            />
          )}
          {search.isPending ? (
            <LogListSkeleton />
          ) : logs.length > 0 ? (
            <div className={search.isPlaceholderData ? "opacity-60 transition-opacity" : undefined}>
              <LogList
                logs={logs}
                open={open}
                columns={columns}
                onColumns={(next) => void setColumns(next)}
                // What failed is asked for again by hand: the end of the list is still in sight.
                more={search.hasNextPage && !search.isFetchNextPageError}
                loadingMore={search.isFetchingNextPage}
                onMore={onMore}
              />
            </div>
          ) : (
            search.data && (
              <Nothing filtered={isFiltered(query)} more={search.hasNextPage} onMore={onMore} set={set} />
            )
          )}
          {search.isFetchNextPageError && (
            <ErrorPanel compact error={search.error} title={t("error.more")} onRetry={onMore} />
          )}
          {last?.searched_back_to && <SearchedBack to={last.searched_back_to} />}
        </div>
        {open && (
          <LogDetail
            key={open}
            id={open}
            known={logs.find((log) => log.id === open)}
            docked={docked}
            query={query}
            set={set}
            columns={columns}
            onColumns={(next) => void setColumns(next)}
            onClose={() => void setOpen(null)}
          />
        )}
      </div>
    </div>
  );
}

/** Reading further down pauses the live tail: what is read must not move. */
function useScrolled(): boolean {
  const [scrolled, setScrolled] = useState(false);
  useEffect(() => {
    const look = () => setScrolled(globalThis.scrollY > 240);
    look();
    globalThis.addEventListener("scroll", look, { passive: true });
    return () => globalThis.removeEventListener("scroll", look);
  }, []);
  return scrolled;
}

/** A value that stays what it was while it is held. */
function useHeld<T>(value: T, held: boolean): T {
  const [last, setLast] = useState(value);
  if (!held && last !== value) setLast(value);
  return held ? last : value;
}

function LiveBar({ tail, paused }: { tail: Tail; paused: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  // What waited is shown as soon as the reader is back at the top.
  const { show, waiting } = tail;
  useEffect(() => {
    if (!paused && waiting > 0) show();
  }, [paused, waiting, show]);
  if (tail.state === "lost" && tail.error) {
    return <ErrorPanel compact error={tail.error} title={t("live.lost")} />;
  }
  return (
    <div className="sticky top-[60px] z-10 flex min-h-9 items-center gap-3 rounded-control border bg-surface px-3 py-1 text-[13px] shadow-card">
      <span
        aria-hidden
        className={`size-2 shrink-0 rounded-full ${tail.state === "open" ? "pulse-dot bg-bad-fill" : "bg-idle-fill"}`}
      />
      <p role="status" className="flex-1">
        {tail.state !== "open" ? t("live.connecting") : paused ? t("live.paused") : t("live.open")}
        {tail.dropped > 0 &&
          ` ${t("live.dropped", { count: tail.dropped, formatted: format.number(tail.dropped) })}`}
      </p>
      {waiting > 0 && (
        <Button
          size="sm"
          variant="primary"
          onClick={() => {
            show();
            globalThis.scrollTo({ top: 0 });
          }}
        >
          {t("live.waiting", { count: waiting, formatted: format.number(waiting) })}
        </Button>
      )}
    </div>
  );
}

function SearchedBack({ to }: { to: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <p className="text-[13px] text-ink-2">{t("logs.searched_back", { time: format.dateTime(to, "full") })}</p>
  );
}

function Nothing({
  filtered,
  more,
  onMore,
  set,
}: {
  filtered: boolean;
  more: boolean;
  onMore: () => void;
  set: ReturnType<typeof useLogQuery>[1];
}) {
  const { t } = useTranslation();
  if (more) {
    return (
      <div className="card">
        <EmptyState
          icon={<FilterX size={20} aria-hidden />}
          title={t("logs.not_yet_found")}
          action={<Button onClick={onMore}>{t("logs.go_on")}</Button>}
        >
          {t("logs.not_yet_found_text")}
        </EmptyState>
      </div>
    );
  }
  return (
    <div className="card">
      {filtered ? (
        <EmptyState
          icon={<FilterX size={20} aria-hidden />}
          title={t("logs.no_match")}
          action={<Button onClick={() => set(noFilters)}>{t("action.clear_filters")}</Button>}
        >
          {t("logs.no_match_text")}
        </EmptyState>
      ) : (
        <EmptyState
          icon={<ScrollText size={20} aria-hidden />}
          title={t("logs.empty")}
          action={<Button onClick={() => set({ range: "30d" })}>{t("logs.widen")}</Button>}
        >
          <p>{t("logs.empty_text")}</p>
          <pre className="mt-3 overflow-x-auto rounded-control border bg-sunken p-3 text-left font-mono text-[12px]">
            {`curl ${globalThis.location.origin}/api/logs \\
  -H 'X-API-Key: …' -H 'Content-Type: application/json' \\
  -d '{"level":"info","source":"app","message":"hello"}'`}
          </pre>
        </EmptyState>
      )}
    </div>
  );
}
