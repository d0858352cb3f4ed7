import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { CalendarPlus, CalendarX2 } from "lucide-react";
import { parseAsString, useQueryState } from "nuqs";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { summaryQuery } from "@/api/queries";
import { type Schedule, schedulesQuery } from "@/api/schedules";
import { usePermission, useServices } from "@/app/services";
import { Button } from "@/ui/button";
import { EmptyState, ErrorPanel, Skeleton } from "@/ui/states";
import { Editor } from "./editor";
import { RemoveDialog } from "./remove-dialog";
import { ScheduleRows } from "./rows";

/** What is backed up when, without anybody doing it. */
export function Schedules() {
  const { t } = useTranslation();
  const { api } = useServices();
  const allowed = usePermission("schedules.write");
  const [source, setSource] = useQueryState("source", parseAsString);
  // "new", or the id of the one that is edited.
  const [edit, setEdit] = useQueryState("edit", parseAsString.withOptions({ history: "push" }));
  const [removing, setRemoving] = useState<Schedule | null>(null);
  const query = useInfiniteQuery(schedulesQuery(api, source));
  const sources = useQuery(summaryQuery(api)).data?.sources.map((row) => row.source);
  const schedules = query.data?.pages.flatMap((page) => page.items);
  const add = (
    <Button
      variant="primary"
      icon={<CalendarPlus size={15} aria-hidden />}
      reason={allowed ? null : t("permission.missing", { permission: "schedules.write" })}
      onClick={() => void setEdit("new")}
    >
      {t("schedules.new")}
    </Button>
  );
  return (
    <div className="flex flex-col gap-4">
      <title>{`${t("page.schedules")} · Guarda`}</title>
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0">
          <h1 className="font-semibold text-[19px] leading-6 tracking-[-0.012em]">{t("schedules.title")}</h1>
          <p className="mt-0.5 max-w-[72ch] text-ink-2">{t("schedules.text")}</p>
        </div>
        {add}
      </div>
      {query.isError && (
        <ErrorPanel
          error={query.error}
          title={schedules ? t("error.stale") : t("error.schedules")}
          onRetry={() => void query.refetch()}
        />
      )}
      {query.isPending ? (
        <div role="status" className="card divide-y divide-line">
          <span className="sr-only">{t("state.loading")}</span>
          {[0, 1, 2].map((i) => (
            <div key={i} className="flex h-[92px] items-center gap-4 px-4">
              <Skeleton className="h-4 w-48 max-w-full" />
              <Skeleton className="ml-auto h-8 w-24" />
            </div>
          ))}
        </div>
      ) : schedules?.length === 0 ? (
        <div className="card">
          {source ? (
            <EmptyState
              icon={<CalendarX2 size={20} aria-hidden />}
              title={t("schedules.no_match")}
              action={<Button onClick={() => void setSource(null)}>{t("action.clear_filters")}</Button>}
            />
          ) : (
            <EmptyState icon={<CalendarX2 size={20} aria-hidden />} title={t("schedules.none")} action={add}>
              {t("schedules.none_text")}
            </EmptyState>
          )}
        </div>
      ) : (
        schedules && (
          <ScheduleRows schedules={schedules} onEdit={(id) => void setEdit(id)} onRemove={setRemoving} />
        )
      )}
      {query.hasNextPage && (
        <div className="flex justify-center">
          <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("action.more")}
          </Button>
        </div>
      )}
      <Editor id={edit} sources={sources ?? []} initialSource={source} onClose={() => void setEdit(null)} />
      <RemoveDialog schedule={removing} onClose={() => setRemoving(null)} />
    </div>
  );
}
