import { Tabs } from "@base-ui/react/tabs";
import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { useTranslation } from "react-i18next";
import { executionQuery } from "@/api/queries";
import { type ExecutionDetail, isActive, outcomeOf } from "@/api/types";
import { useServices } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Sheet } from "@/ui/dialog";
import { ErrorPanel, Skeleton } from "@/ui/states";
import { StatusBadge } from "@/ui/status";
import { RunningCard } from "../backup/running-card";
import { Coverage } from "./coverage";
import { Files } from "./files";
import { Overview } from "./overview";
import { TableBars } from "./table-bars";

export const views = ["overview", "tables", "ledger", "files"] as const;
export type View = (typeof views)[number];

/** One run, beside the list; which one and which tab is in the address. */
export function RunDetail({
  id,
  view,
  onView,
  onClose,
}: {
  id: string | null;
  view: View;
  onView: (view: View) => void;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const { api } = useServices();
  const query = useQuery({ ...executionQuery(api, id ?? ""), enabled: id !== null });
  const run = query.data;
  return (
    <Sheet
      open={id !== null}
      onOpenChange={(open) => !open && onClose()}
      title={
        run ? (
          <span className="flex flex-wrap items-center gap-2.5">
            <span className="min-w-0 [overflow-wrap:anywhere]">
              {t("detail.title", { name: run.source_name })}
            </span>
            <StatusBadge outcome={outcomeOf({ ...run, warning_count: run.warnings.length })} />
          </span>
        ) : (
          t("detail.title_loading")
        )
      }
    >
      {query.isError && !run ? (
        <div className="p-5">
          <ErrorPanel error={query.error} title={t("error.execution")} onRetry={() => void query.refetch()} />
        </div>
      ) : run ? (
        <Content run={run} view={view} onView={onView} />
      ) : (
        <DetailSkeleton />
      )}
    </Sheet>
  );
}

function Content({ run, view, onView }: { run: ExecutionDetail; view: View; onView: (view: View) => void }) {
  const { t } = useTranslation();
  return (
    <>
      {isActive(run) && (
        <div className="p-5 pb-0">
          <RunningCard run={run} />
        </div>
      )}
      <Tabs.Root value={view} onValueChange={(next) => onView(next as View)}>
        <Tabs.List
          aria-label={t("detail.views")}
          className="sticky top-0 z-10 flex gap-5 border-b bg-surface px-5 pt-1"
        >
          {views.map((name) => (
            <Tabs.Tab
              key={name}
              value={name}
              className="-mb-px inline-flex h-10 items-center gap-1.5 border-transparent border-b-2 text-ink-2 hover:text-ink data-active:border-accent data-active:font-semibold data-active:text-ink"
            >
              {t(`detail.${name}`)}
              {name === "tables" && <Count of={run.table_details.length} />}
              {name === "ledger" && (
                <Count of={(run.ledger?.unreadable ?? 0) + (run.ledger?.unsupported ?? 0)} alarming />
              )}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview" className="p-5">
          <Overview run={run} />
        </Tabs.Panel>
        <Tabs.Panel value="tables" className="p-5">
          <TableBars run={run} />
        </Tabs.Panel>
        <Tabs.Panel value="ledger" className="p-5">
          <Coverage run={run} />
        </Tabs.Panel>
        <Tabs.Panel value="files" className="p-5">
          <Files run={run} />
        </Tabs.Panel>
      </Tabs.Root>
    </>
  );
}

function Count({ of, alarming = false }: { of: number; alarming?: boolean }) {
  const format = useFormat();
  if (of === 0) return null;
  return (
    <span
      className={clsx(
        "num rounded-full px-1.5 text-[12px]",
        alarming ? "bg-bad-soft font-medium text-bad" : "bg-sunken font-normal text-ink-2",
      )}
    >
      {format.number(of)}
    </span>
  );
}

function DetailSkeleton() {
  const { t } = useTranslation();
  return (
    <div role="status" className="flex flex-col gap-4 p-5">
      <span className="sr-only">{t("state.loading")}</span>
      <Skeleton className="h-8 w-64" />
      <div className="grid grid-cols-3 gap-4">
        {[0, 1, 2, 3, 4, 5].map((i) => (
          <Skeleton key={i} className="h-10" />
        ))}
      </div>
      <Skeleton className="h-40" />
    </div>
  );
}
