import { useInfiniteQuery } from "@tanstack/react-query";
import { CircleCheck, Clock, Eraser, LoaderCircle, TriangleAlert } from "lucide-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { erasuresQuery, type LogErasure } from "@/api/erasures";
import { useServices } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { ProgressBar } from "@/ui/progress";
import { EmptyState, ErrorPanel, Skeleton } from "@/ui/states";
import { Time } from "@/ui/time";

/** Every erasure that was asked for, the newest first, with how far it is or what it did. */
export function ErasureList() {
  const { t } = useTranslation();
  const { api } = useServices();
  const title = useId();
  const query = useInfiniteQuery(erasuresQuery(api));
  const items = query.data?.pages.flatMap((page) => page.items);
  return (
    <section aria-labelledby={title} className="flex flex-col gap-3">
      <h2 id={title} className="font-semibold">
        {t("erasures.record")}
      </h2>
      {query.isError && (
        <ErrorPanel
          error={query.error}
          title={items ? t("error.stale") : t("error.erasures")}
          onRetry={() => void query.refetch()}
        />
      )}
      {query.isPending ? (
        <div role="status" className="card divide-y divide-line">
          <span className="sr-only">{t("state.loading")}</span>
          {[0, 1, 2].map((i) => (
            <div key={i} className="flex h-[68px] items-center gap-4 px-4">
              <Skeleton className="h-4 w-48 max-w-full" />
              <Skeleton className="ml-auto h-4 w-24" />
            </div>
          ))}
        </div>
      ) : items?.length === 0 ? (
        <div className="card">
          <EmptyState icon={<Eraser size={20} aria-hidden />} title={t("erasures.empty")}>
            {t("erasures.empty_text")}
          </EmptyState>
        </div>
      ) : (
        items && (
          <ul className="card divide-y divide-line">
            {items.map((erasure) => (
              <Row key={erasure.id} erasure={erasure} />
            ))}
          </ul>
        )
      )}
      {query.hasNextPage && (
        <div className="flex justify-center">
          <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("action.more")}
          </Button>
        </div>
      )}
    </section>
  );
}

const looks = {
  pending: { icon: Clock, tone: "text-run" },
  running: { icon: LoaderCircle, tone: "text-run" },
  completed: { icon: CircleCheck, tone: "text-ok" },
};

const stages: LogErasure["stage"][] = ["spool", "hot", "cold", "objects", "last_look", "done"];

/** How much of the work is behind it; within the archive by the days that are looked through. */
export function shareOf({ stage, segments }: LogErasure): number {
  const within = stage === "cold" && segments.total > 0 ? segments.done / segments.total : 0;
  return (stages.indexOf(stage) + within) / (stages.length - 1);
}

function Row({ erasure }: { erasure: LogErasure }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { icon: Icon, tone } = looks[erasure.state];
  const { deleted, segments } = erasure;
  const places = (["hot", "cold", "spooled"] as const).filter((place) => deleted[place] > 0);
  const stage = t(`erasures.stage_${erasure.stage}`);
  return (
    <li className="flex flex-wrap items-start gap-x-6 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-[280px]">
        <p className="flex flex-wrap items-center gap-x-2.5 gap-y-0.5">
          <span className={`inline-flex items-center gap-1.5 font-medium text-[13px] ${tone}`}>
            <Icon
              size={14}
              aria-hidden
              className={erasure.state === "running" ? "animate-spin" : undefined}
            />
            {t(`erasures.state_${erasure.state}`)}
          </span>
          <span className="min-w-0 break-words">{erasure.reason || t("erasures.no_reason")}</span>
        </p>
        <p className="text-[13px] text-ink-2">
          {t("erasures.asked_by", { name: erasure.requested_by })}{" "}
          <Time iso={erasure.requested_at} relative />
          {erasure.completed_at && (
            <>
              {" · "}
              {t("erasures.ended")} <Time iso={erasure.completed_at} />
            </>
          )}
        </p>
        {(erasure.user_id || erasure.session_id) && (
          <p className="break-all font-mono text-[12px] text-ink-2 leading-5">
            {[erasure.user_id, erasure.session_id].filter(Boolean).join(" · ")}
          </p>
        )}
        {erasure.last_error && (
          <p className="mt-1 flex items-start gap-1.5 break-words text-[13px] text-warn">
            <TriangleAlert size={14} aria-hidden className="mt-0.5 shrink-0" />
            <span className="min-w-0 break-words">
              {t("erasures.tries_again")} {erasure.last_error}
            </span>
          </p>
        )}
      </div>
      <div className="min-w-0 basis-[260px]">
        <p className="num font-medium">
          {t("erasures.erased", { count: deleted.total, formatted: format.number(deleted.total) })}
        </p>
        {places.length > 0 && (
          <p className="num text-[13px] text-ink-2">
            {places
              .map((place) => t(`erasures.of_${place}`, { formatted: format.number(deleted[place]) }))
              .join(" · ")}
          </p>
        )}
        {erasure.state !== "completed" && (
          <div className="mt-1.5 flex flex-col gap-1">
            <ProgressBar value={shareOf(erasure)} label={t("erasures.progress")} text={stage} />
            <p className="text-[13px] text-ink-2">
              {stage}
              {erasure.stage === "cold" && segments.total > 0 && (
                <span className="num">
                  {" "}
                  {format.number(segments.done)}/{format.number(segments.total)}
                </span>
              )}
            </p>
          </div>
        )}
      </div>
    </li>
  );
}
