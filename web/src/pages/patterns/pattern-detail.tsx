import { useQuery } from "@tanstack/react-query";
import { ScrollText } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import type { LogLevel } from "@/api/logs";
import { type LogPatternDetail, patternQuery } from "@/api/patterns";
import { useServices } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { buttonClass } from "@/ui/button";
import { Sheet } from "@/ui/dialog";
import { CopyButton, ErrorPanel, Skeleton } from "@/ui/states";
import { Time } from "@/ui/time";
import { Level } from "../logs/level";
import { Template } from "../logs/template";
import { Badges } from "./badges";
import { MuteButton } from "./mute-button";
import { entriesOf } from "./pattern-list";
import { Trend } from "./trend";

/** What is known of one pattern, beside the list; which one is in the address. */
export function PatternDetail({ id, onClose }: { id: string | null; onClose: () => void }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const { data, isError, error, refetch } = useQuery({
    ...patternQuery(api, id ?? ""),
    enabled: id !== null,
  });
  return (
    <Sheet open={id !== null} onOpenChange={(open) => !open && onClose()} title={t("logs.pattern")}>
      <div className="p-5">
        {isError && !data ? (
          <ErrorPanel error={error} title={t("error.pattern")} onRetry={() => void refetch()} />
        ) : data ? (
          <Content pattern={data} />
        ) : (
          <div role="status" className="flex flex-col gap-4">
            <span className="sr-only">{t("state.loading")}</span>
            <Skeleton className="h-12" />
            <Skeleton className="h-24" />
            <Skeleton className="h-32" />
          </div>
        )}
      </div>
    </Sheet>
  );
}

function Content({ pattern }: { pattern: LogPatternDetail }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { search } = useLocation();
  const facts: [string, ReactNode][] = [
    [t("patterns.count"), format.number(pattern.count)],
    [t("patterns.share"), format.share(pattern.share)],
    [t("patterns.first_seen"), <Time key="f" iso={pattern.first_seen_at} relative focusable />],
    [t("patterns.last_seen"), <Time key="l" iso={pattern.last_seen_at} relative focusable />],
  ];
  return (
    <div className="flex flex-col gap-6">
      <section>
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
          <Level level={pattern.level as LogLevel} className="font-medium" />
          <span className="text-ink-2">{pattern.source}</span>
          <Badges pattern={pattern} />
        </div>
        <div className="relative mt-2.5 rounded-control border bg-sunken">
          <p className="max-h-60 overflow-auto break-words py-2.5 pr-9 pl-3 font-mono text-[12.5px] leading-5">
            <Template text={pattern.template} />
          </p>
          <span className="absolute top-1.5 right-1.5">
            <CopyButton text={pattern.template} label={t("patterns.copy")} />
          </span>
        </div>
        <div className="mt-3 flex flex-wrap gap-2">
          <Link
            to={entriesOf(pattern, search)}
            className={buttonClass({ variant: "primary", children: true })}
          >
            <ScrollText size={15} aria-hidden />
            {t("patterns.see_entries")}
          </Link>
          <MuteButton pattern={pattern} words />
        </div>
        {pattern.muted && <p className="mt-2 text-[13px] text-ink-2">{t("patterns.muted_text")}</p>}
      </section>
      <dl className="grid grid-cols-2 gap-x-5 gap-y-3.5 sm:grid-cols-4">
        {facts.map(([label, value]) => (
          <div key={label} className="min-w-0">
            <dt className="text-[12px] text-ink-3">{label}</dt>
            <dd className="num font-medium">{value}</dd>
          </div>
        ))}
      </dl>
      {pattern.trend && <Week pattern={pattern} />}
      <Surge pattern={pattern} />
      {pattern.sample && (
        <section>
          <div className="mb-1.5 flex items-center justify-between gap-3">
            <h3 className="font-semibold">{t("patterns.sample")}</h3>
            <Link
              to={`/admin/logs?log=${pattern.sample.id}`}
              className="rounded text-[13px] text-accent hover:underline"
            >
              {t("patterns.open_sample")}
            </Link>
          </div>
          <p className="break-words rounded-control border bg-sunken px-3 py-2.5 font-mono text-[12.5px] leading-5">
            {pattern.sample.message}
          </p>
          <p className="mt-1 text-[13px] text-ink-3">
            <Time iso={pattern.sample.created_at} style="full" />
          </p>
        </section>
      )}
      {pattern.merged_ids.length > 0 && (
        <p className="text-[13px] text-ink-2">
          {t("patterns.merged", {
            count: pattern.merged_ids.length,
            formatted: format.number(pattern.merged_ids.length),
          })}
        </p>
      )}
    </div>
  );
}

function Week({ pattern }: { pattern: LogPatternDetail }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { start, interval_seconds, counts } = pattern.trend!;
  const end = new Date(Date.parse(start) + counts.length * interval_seconds * 1000).toISOString();
  const most = Math.max(0, ...counts);
  return (
    <section>
      <h3 className="mb-1.5 font-semibold">{t("patterns.week")}</h3>
      <div className="h-24">
        <Trend
          trend={pattern.trend!}
          width={640}
          height={96}
          className={pattern.surging ? "fill-warn-fill" : "fill-accent"}
        />
      </div>
      <p className="num mt-1 flex justify-between gap-3 text-[12px] text-ink-3">
        <span>{format.dateTime(start)}</span>
        <span>
          {t("patterns.most", {
            count: most,
            formatted: format.number(most),
            width: format.duration(interval_seconds),
          })}
        </span>
        <span>{format.dateTime(end)}</span>
      </p>
    </section>
  );
}

/** Why it counts as surging or not: this hour beside the same hour of earlier days. */
function Surge({ pattern }: { pattern: LogPatternDetail }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { since, recent_count, median, mad } = pattern.surge;
  return (
    <section>
      <h3 className="mb-1 font-semibold">{t("patterns.usual")}</h3>
      <p className="text-ink-2">
        {median === null || mad === null
          ? t("patterns.usual_unknown", { recent: format.number(recent_count) })
          : t("patterns.usual_text", {
              recent: format.number(recent_count),
              median: format.number(median),
              mad: format.number(mad),
            })}
        {since && ` ${t("patterns.surging_since", { time: format.dateTime(since) })}`}
      </p>
    </section>
  );
}
