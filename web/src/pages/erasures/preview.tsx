import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { History, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { erasuresQuery, type Subject, subjectQuery } from "@/api/erasures";
import { useServices } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { ErrorPanel, Skeleton } from "@/ui/states";
import { Time } from "@/ui/time";
import { EraseDialog } from "./erase-dialog";

/** How many entries would go, where to look at them, and the way to erase them. */
export function Preview({ subject, onDone }: { subject: Subject; onDone: () => void }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const format = useFormat();
  const [asking, setAsking] = useState(false);
  const query = useQuery(subjectQuery(api, subject));
  if (query.isError) {
    return (
      <ErrorPanel
        compact
        error={query.error}
        title={t("error.erasure_preview")}
        onRetry={() => void query.refetch()}
      />
    );
  }
  if (!query.data) {
    return (
      <div role="status" className="flex flex-col gap-3">
        <span className="sr-only">{t("state.loading")}</span>
        <Skeleton className="h-7 w-44" />
        <Skeleton className="h-4 w-64 max-w-full" />
        <Skeleton className="mt-2 h-8 w-40" />
      </div>
    );
  }
  const { total_count: total, total_count_relation: relation, logs } = query.data;
  const newest = logs[0];
  const count = `${relation === "gte" ? "≥ " : ""}${t("logs.entries", { count: total, formatted: format.number(total) })}`;
  const search = new URLSearchParams({
    ...(subject.user_id && { user: subject.user_id }),
    ...(subject.session_id && { session: subject.session_id }),
    range: "30d",
  });
  return (
    <div className="flex flex-col items-start gap-3">
      <h2 className="sr-only">{t("erasures.preview")}</h2>
      <p aria-live="polite" className="num font-semibold text-[20px] tracking-[-0.01em]">
        {count}
      </p>
      <p className="text-ink-2">
        {newest ? (
          <>
            {t("erasures.newest")} <Time iso={newest.created_at} relative />.{" "}
            <Link to={`/admin/logs?${search}`} className="rounded text-accent hover:underline">
              {t("erasures.look")}
            </Link>
          </>
        ) : (
          t("erasures.none_found")
        )}
      </p>
      <Earlier subject={subject} />
      <p className="text-[13px] text-ink-3 leading-[19px]">{t("erasures.reach")}</p>
      <Button variant="danger" icon={<Trash2 size={15} aria-hidden />} onClick={() => setAsking(true)}>
        {t("erasures.erase")}
      </Button>
      <EraseDialog
        open={asking}
        subject={subject}
        count={count}
        onClose={() => setAsking(false)}
        onDone={onDone}
      />
    </div>
  );
}

/** A completed erasure no longer says whose entries it was about; the API knows it by a digest. */
function Earlier({ subject }: { subject: Subject }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const last = useInfiniteQuery(erasuresQuery(api, subject)).data?.pages[0]?.items[0];
  if (!last) return null;
  return (
    <p className="flex items-start gap-2 text-[13px] text-ink-2">
      <History size={14} aria-hidden className="mt-0.5 shrink-0" />
      <span>
        {t("erasures.asked_before")} <Time iso={last.requested_at} /> · {t(`erasures.state_${last.state}`)}
      </span>
    </p>
  );
}
