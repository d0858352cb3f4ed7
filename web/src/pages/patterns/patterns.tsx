import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { FilterX, Shapes } from "lucide-react";
import { parseAsString, useQueryState } from "nuqs";
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { type LogPatternList, patternsQuery } from "@/api/patterns";
import { useNow } from "@/app/now";
import { useServices } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { Select } from "@/ui/select";
import { EmptyState, ErrorPanel, Skeleton } from "@/ui/states";
import { FilterBar } from "./filter-bar";
import {
  type Filters,
  isFiltered,
  mutings,
  noFilters,
  type SetFilters,
  sorts,
  toApi,
  usePatternFilters,
} from "./filters";
import { PatternDetail } from "./pattern-detail";
import { PatternList, PatternListSkeleton } from "./pattern-list";

export function Patterns() {
  const { t } = useTranslation();
  const { api } = useServices();
  const [filters, set] = usePatternFilters();
  const [open, setOpen] = useQueryState("open", parseAsString);
  const query = useInfiniteQuery({
    ...patternsQuery(api, toApi(filters, useNow())),
    placeholderData: keepPreviousData,
  });
  const patterns = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const { fetchNextPage } = query;
  const onMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const first = query.data?.pages[0];
  return (
    <div className="flex flex-col gap-4">
      <title>{`${t("page.patterns")} · Guarda`}</title>
      <div>
        <h1 className="font-semibold text-[19px] leading-6 tracking-[-0.012em]">{t("patterns.title")}</h1>
        <p className="mt-0.5 text-ink-2">{t("patterns.text")}</p>
      </div>
      <FilterBar filters={filters} set={set} />
      {query.isError && !query.isFetchNextPageError && (
        <ErrorPanel
          error={query.error}
          title={query.data ? t("error.stale") : t("error.patterns")}
          onRetry={() => void query.refetch()}
        />
      )}
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        {first ? <Counted list={first} /> : query.isPending && <Skeleton className="h-5 w-64" />}
        <div className="ml-auto flex flex-wrap gap-2">
          <Select
            label={t("patterns.muting")}
            value={filters.muted}
            onChange={(muted) => set({ muted })}
            options={mutings.map((value) => ({ value, label: t(`patterns.muting_${value}`) }))}
          />
          <Select
            label={t("patterns.sort")}
            value={filters.sort}
            onChange={(sort) => set({ sort })}
            options={sorts.map((value) => ({ value, label: t(`patterns.sort_${value}`) }))}
          />
        </div>
      </div>
      {query.isPending ? (
        <PatternListSkeleton />
      ) : patterns.length > 0 ? (
        <div className={query.isPlaceholderData ? "opacity-60 transition-opacity" : undefined}>
          <PatternList
            patterns={patterns}
            open={open}
            // What failed is asked for again by hand: the end of the list is still in sight.
            more={query.hasNextPage && !query.isFetchNextPageError}
            loadingMore={query.isFetchingNextPage}
            onMore={onMore}
          />
        </div>
      ) : (
        first && <Nothing list={first} filters={filters} set={set} />
      )}
      {query.isFetchNextPageError && (
        <ErrorPanel compact error={query.error} title={t("error.more")} onRetry={onMore} />
      )}
      <PatternDetail id={open} onClose={() => void setOpen(null)} />
    </div>
  );
}

/** What was counted: patterns and what has none add up to it. */
function Counted({ list }: { list: LogPatternList }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { total_count: total, without_pattern: none } = list;
  return (
    <p className="num text-[13px] text-ink-2">
      <span className="font-medium text-ink">
        {list.exact ? "" : "≥ "}
        {t("patterns.counted", { count: total, formatted: format.number(total) })}
      </span>
      {none > 0 && ` · ${t("patterns.without", { count: none, formatted: format.number(none) })}`}
      {!list.exact && ` · ${t("logs.inexact")}`}
    </p>
  );
}

function Nothing({ list, filters, set }: { list: LogPatternList; filters: Filters; set: SetFilters }) {
  const { t } = useTranslation();
  if (isFiltered(filters)) {
    return (
      <div className="card">
        <EmptyState
          icon={<FilterX size={20} aria-hidden />}
          title={t("patterns.no_match")}
          action={<Button onClick={() => set(noFilters)}>{t("action.clear_filters")}</Button>}
        >
          {t("logs.no_match_text")}
        </EmptyState>
      </div>
    );
  }
  const allMuted = list.total_count > list.without_pattern;
  return (
    <div className="card">
      <EmptyState
        icon={<Shapes size={20} aria-hidden />}
        title={t(allMuted ? "patterns.all_muted" : "patterns.empty")}
        action={
          allMuted ? (
            <Button onClick={() => set({ muted: "show" })}>{t("patterns.show_muted")}</Button>
          ) : (
            <Button onClick={() => set({ range: "30d", start: null, end: null })}>{t("logs.widen")}</Button>
          )
        }
      >
        {t(allMuted ? "patterns.all_muted_text" : "patterns.empty_text")}
      </EmptyState>
    </div>
  );
}
