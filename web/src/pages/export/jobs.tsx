import { useInfiniteQuery } from "@tanstack/react-query";
import {
  CircleCheck,
  CircleSlash,
  CircleX,
  Clock,
  Download,
  FileClock,
  FileDown,
  LoaderCircle,
  Repeat,
  Square,
} from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { toast } from "sonner";
import { exportsQuery, isBeingMade, type LogExport, useCancelExport } from "@/api/exports";
import { useNow } from "@/app/now";
import { useServices } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button, buttonClass } from "@/ui/button";
import { ProgressBar } from "@/ui/progress";
import { describe, EmptyState, ErrorPanel, Skeleton } from "@/ui/states";
import { Time } from "@/ui/time";
import { FormatIcon } from "./export-form";
import { againOf, wordsOf } from "./filters-in-words";

/** The files that were asked for, newest first. */
export function Jobs() {
  const { t } = useTranslation();
  const { api } = useServices();
  const query = useInfiniteQuery(exportsQuery(api));
  const jobs = query.data?.pages.flatMap((page) => page.items);
  return (
    <section aria-labelledby="exports" className="flex min-w-0 flex-col gap-3">
      <h2 id="exports" className="font-semibold">
        {t("export.files")}
      </h2>
      {query.isError && (
        <ErrorPanel
          error={query.error}
          title={jobs ? t("error.stale") : t("error.exports")}
          onRetry={() => void query.refetch()}
        />
      )}
      {query.isPending ? (
        <div role="status" className="card divide-y divide-line">
          <span className="sr-only">{t("state.loading")}</span>
          {[0, 1, 2, 3].map((i) => (
            <div key={i} className="flex h-[76px] items-center gap-4 px-4">
              <Skeleton className="size-8" />
              <div className="flex-1">
                <Skeleton className="h-4 w-56 max-w-full" />
                <Skeleton className="mt-2 h-3 w-36" />
              </div>
              <Skeleton className="h-8 w-24" />
            </div>
          ))}
        </div>
      ) : jobs?.length === 0 ? (
        <div className="card">
          <EmptyState icon={<FileDown size={20} aria-hidden />} title={t("export.none")}>
            {t("export.none_text")}
          </EmptyState>
        </div>
      ) : (
        jobs && (
          <ul className="card divide-y divide-line">
            {jobs.map((job) => (
              <Job key={job.export_id} job={job} />
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

function Job({ job }: { job: LogExport }) {
  const { t } = useTranslation();
  const format = useFormat();
  const facts = [
    job.row_count !== null &&
      t("logs.entries", { count: job.row_count, formatted: format.number(job.row_count) }),
    job.size_bytes !== null && format.bytes(job.size_bytes),
  ].filter(Boolean);
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-2.5 px-4 py-3.5 sm:flex-nowrap">
      <span className="mt-0.5 inline-flex size-8 shrink-0 items-center justify-center rounded-control bg-sunken max-sm:hidden">
        <FormatIcon format={job.format} size={17} />
      </span>
      <div className="min-w-0 flex-1 basis-[220px]">
        <p className="flex flex-wrap items-center gap-x-2.5 gap-y-0.5">
          <span className="min-w-0 break-all font-medium">{job.file_name}</span>
          <State job={job} />
        </p>
        <p className="num text-[13px] text-ink-2">
          {facts.length > 0 && `${facts.join(" · ")} · `}
          <Time iso={job.created_at} relative />
        </p>
        <p className="break-words text-[13px] text-ink-3">{wordsOf(job.filters, t, format.dateTime)}</p>
        {isBeingMade(job) && <Making job={job} />}
        {job.error && job.error.code !== "canceled" && (
          <p className="mt-1 break-words text-[13px]">
            <span className="text-bad">{job.error.message}</span>{" "}
            {job.error.hint && <span className="text-ink-2">{job.error.hint}</span>}
          </p>
        )}
        <Expiry job={job} />
      </div>
      <div className="flex shrink-0 items-center gap-1.5 max-sm:w-full">
        {job.download_url && (
          <a
            href={job.download_url}
            download={job.file_name}
            aria-label={t("export.download_of", { name: job.file_name })}
            className={buttonClass({ children: true, className: "max-sm:flex-1" })}
          >
            <Download size={15} aria-hidden />
            {t("export.download")}
          </a>
        )}
        {isBeingMade(job) ? (
          <Stop job={job} />
        ) : (
          <Link
            to={againOf(job)}
            aria-label={t("export.again_of", { name: job.file_name })}
            title={t("export.again")}
            className={buttonClass({ variant: "ghost", children: null })}
          >
            <Repeat size={15} aria-hidden />
          </Link>
        )}
      </div>
    </li>
  );
}

function Stop({ job }: { job: LogExport }) {
  const { t } = useTranslation();
  const cancel = useCancelExport();
  return (
    <Button
      icon={<Square size={13} aria-hidden />}
      aria-label={t("export.cancel_of", { name: job.file_name })}
      busy={cancel.isPending}
      onClick={() =>
        cancel.mutate(job.export_id, {
          onError: (error) =>
            toast.error(t("error.cancel_export"), { description: describe(error, (key) => t(key)).message }),
        })
      }
    >
      {t("action.cancel_backup")}
    </Button>
  );
}

const looks = {
  pending: { icon: Clock, tone: "text-run" },
  running: { icon: LoaderCircle, tone: "text-run" },
  completed: { icon: CircleCheck, tone: "text-ok" },
  failed: { icon: CircleX, tone: "text-bad" },
};

function State({ job }: { job: LogExport }) {
  const { t } = useTranslation();
  const gone = job.status === "completed" && !job.download_url;
  const stopped = job.error?.code === "canceled";
  const { icon: Icon, tone } = gone
    ? { icon: FileClock, tone: "text-ink-3" }
    : stopped
      ? { icon: CircleSlash, tone: "text-ink-2" }
      : looks[job.status];
  return (
    <span className={`inline-flex items-center gap-1 whitespace-nowrap font-medium text-[13px] ${tone}`}>
      <Icon size={14} aria-hidden className={job.status === "running" ? "animate-spin" : undefined} />
      {t(gone ? "export.status_gone" : stopped ? "export.status_canceled" : `export.status_${job.status}`)}
    </span>
  );
}

function Making({ job }: { job: LogExport }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { rows_done: done, rows_expected: expected } = job;
  // At least so many are expected: a count that took too long may be passed.
  const share = expected ? Math.min(1, done / expected) : null;
  const text =
    share !== null && expected
      ? t("export.progress", {
          done: format.number(done),
          count: expected,
          formatted: format.number(expected),
        })
      : t("export.progress_unknown", { count: done, formatted: format.number(done) });
  return (
    <div className="mt-2">
      <ProgressBar value={share} label={job.file_name} text={text} />
      <p role="status" className="num mt-1 text-[13px] text-ink-2">
        {job.status === "pending" && done === 0 ? t("export.waiting") : text}
      </p>
    </div>
  );
}

function Expiry({ job }: { job: LogExport }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow();
  if (!job.download_url || !job.file_expires_at || !job.expires_at) return null;
  return (
    <p className="text-[13px] text-ink-3">
      {t("export.expires", {
        link: format.relative(job.expires_at, now),
        file: format.dateTime(job.file_expires_at),
      })}
    </p>
  );
}
