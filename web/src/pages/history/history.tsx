import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { FilterX, History as HistoryIcon } from "lucide-react";
import { parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useCallback, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { executionsQuery } from "@/api/queries";
import { useNow } from "@/app/now";
import { useServices } from "@/app/services";
import { Button, buttonClass } from "@/ui/button";
import { EmptyState, ErrorPanel } from "@/ui/states";
import { RunDetail, views } from "./detail";
import { FilterBar } from "./filter-bar";
import { isFiltered, toApi, useFilters } from "./filters";
import { RunTable, RunTableSkeleton } from "./run-table";

export function History() {
  const { t } = useTranslation();
  const { api } = useServices();
  const [filters, setFilters] = useFilters();
  const now = useNow();
  const filter = toApi(filters, now);
  const query = useInfiniteQuery({ ...executionsQuery(api, filter), placeholderData: keepPreviousData });
  const runs = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const { fetchNextPage } = query;
  const onMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const [open, setOpen] = useQueryStates({
    run: parseAsString,
    view: parseAsStringLiteral(views).withDefault("overview"),
    coverage: parseAsString,
  });

  return (
    <div className="flex flex-col gap-4">
      <title>{`${t("page.history")} · Guarda`}</title>
      <div>
        <h1 className="font-semibold text-[19px] leading-6 tracking-[-0.012em]">{t("history.title")}</h1>
        <p className="mt-0.5 text-ink-2">{t("history.text")}</p>
      </div>
      <FilterBar />
      {query.isError && !query.isFetchNextPageError && (
        <ErrorPanel
          error={query.error}
          title={query.data ? t("error.stale") : t("error.history")}
          onRetry={() => void query.refetch()}
        />
      )}
      {query.isPending ? (
        <RunTableSkeleton />
      ) : runs.length > 0 ? (
        <div className={query.isPlaceholderData ? "opacity-60 transition-opacity" : undefined}>
          <RunTable
            runs={runs}
            // What failed is asked for again by hand: the end of the list is still in sight.
            more={query.hasNextPage && !query.isFetchNextPageError}
            onMore={onMore}
            loadingMore={query.isFetchingNextPage}
          />
        </div>
      ) : (
        query.data && (
          <div className="card">
            {isFiltered(filters) ? (
              <EmptyState
                icon={<FilterX size={20} aria-hidden />}
                title={t("history.no_match")}
                action={<Button onClick={() => setFilters(null)}>{t("action.clear_filters")}</Button>}
              >
                {t("history.no_match_text")}
              </EmptyState>
            ) : (
              <EmptyState
                icon={<HistoryIcon size={20} aria-hidden />}
                title={t("history.empty")}
                action={
                  <Link to="/admin/backup" className={buttonClass({ variant: "primary", children: true })}>
                    {t("history.empty_action")}
                  </Link>
                }
              >
                {t("history.empty_text")}
              </EmptyState>
            )}
          </div>
        )
      )}
      {query.isFetchNextPageError && (
        <ErrorPanel compact error={query.error} title={t("error.more")} onRetry={onMore} />
      )}
      <RunDetail
        id={open.run}
        view={open.view}
        onView={(view) => setOpen({ view }, { history: "replace" })}
        onClose={() => setOpen({ run: null, view: null, coverage: null }, { history: "push" })}
      />
    </div>
  );
}
