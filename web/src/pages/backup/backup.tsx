import { useQuery } from "@tanstack/react-query";
import { Play, Plus } from "lucide-react";
import { parseAsString, parseAsStringLiteral, useQueryState, useQueryStates } from "nuqs";
import { useTranslation } from "react-i18next";
import { summaryQuery } from "@/api/queries";
import { isActive } from "@/api/types";
import { usePermission, useServices } from "@/app/services";
import { onlySource } from "@/shell/health";
import { Button } from "@/ui/button";
import { ErrorPanel, Skeleton } from "@/ui/states";
import { FirstVisit } from "./first-visit";
import { Headline } from "./headline";
import { RunDialog } from "./run-dialog";
import { RunningCard } from "./running-card";
import { SourceDialog } from "./source-dialog";
import { SourceRows, SourceRowsSkeleton } from "./source-rows";
import { Tiles } from "./tiles";

export function Backup() {
  const { t } = useTranslation();
  const { api } = useServices();
  const query = useQuery(summaryQuery(api));
  const [source] = useQueryState("source", parseAsString);
  const [dialog, setDialog] = useQueryStates({
    dialog: parseAsStringLiteral(["run", "source"] as const),
    run_source: parseAsString,
  });
  const mayRun = usePermission("backup.run");
  const mayAdd = usePermission("sources.write");
  const run = (id: string | null) => setDialog({ dialog: "run", run_source: id }, { history: "push" });
  const close = () => setDialog({ dialog: null, run_source: null });

  const all = query.data;
  const summary = all && onlySource(all, source);
  const dialogs = (
    <>
      <RunDialog
        open={dialog.dialog === "run" && Boolean(all && all.sources.length > 0)}
        onClose={close}
        sources={all?.sources ?? []}
        initialSource={dialog.run_source ?? source}
      />
      <SourceDialog open={dialog.dialog === "source"} onClose={close} onRun={run} />
    </>
  );

  if (summary && summary.sources.length === 0) {
    return (
      <>
        <title>{`${t("page.backup")} · Guarda`}</title>
        <FirstVisit onAdd={() => setDialog({ dialog: "source" }, { history: "push" })} />
        {dialogs}
      </>
    );
  }
  return (
    <div className="flex flex-col gap-5">
      <title>{`${t("page.backup")} · Guarda`}</title>
      <div className="flex flex-wrap items-center justify-between gap-4">
        {summary ? <Headline summary={summary} /> : <HeadlineSkeleton failed={query.isError} />}
        <div className="flex gap-2">
          <Button
            icon={<Plus size={15} aria-hidden />}
            onClick={() => setDialog({ dialog: "source" }, { history: "push" })}
            reason={mayAdd ? null : t("permission.missing", { permission: "sources.write" })}
          >
            {t("action.add_database")}
          </Button>
          <Button
            variant="primary"
            icon={<Play size={14} aria-hidden />}
            onClick={() => run(null)}
            reason={
              !mayRun
                ? t("permission.missing", { permission: "backup.run" })
                : summary
                  ? null
                  : t("state.loading")
            }
          >
            {t("action.run_now")}
          </Button>
        </div>
      </div>
      {query.isError && (
        <ErrorPanel
          error={query.error}
          title={summary ? t("error.stale") : t("error.summary")}
          onRetry={() => void query.refetch()}
        />
      )}
      {(summary || !query.isError) && <Tiles summary={summary} />}
      {summary?.sources.map(
        (row) =>
          row.running && isActive(row.running) && <RunningCard key={row.running.id} run={row.running} />,
      )}
      {summary ? <SourceRows rows={summary.sources} onRun={run} /> : !query.isError && <SourceRowsSkeleton />}
      {dialogs}
    </div>
  );
}

function HeadlineSkeleton({ failed }: { failed: boolean }) {
  const { t } = useTranslation();
  return (
    <div className="flex items-center gap-3.5" role={failed ? undefined : "status"}>
      <h1 className="sr-only">{t("page.backup")}</h1>
      {!failed && (
        <>
          <span className="sr-only">{t("state.loading")}</span>
          <Skeleton className="size-11 rounded-[12px]" />
          <div>
            <Skeleton className="h-5 w-72 max-w-[60vw]" />
            <Skeleton className="mt-2 h-4 w-48" />
          </div>
        </>
      )}
      {failed && <span className="font-semibold text-[19px] leading-6">{t("page.backup")}</span>}
    </div>
  );
}
