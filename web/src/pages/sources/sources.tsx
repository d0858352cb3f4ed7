import { useInfiniteQuery } from "@tanstack/react-query";
import { Database, Plus } from "lucide-react";
import { parseAsString, useQueryState } from "nuqs";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { sourcesQuery, useTestSource } from "@/api/sources";
import type { Source } from "@/api/types";
import { usePermission, useServices } from "@/app/services";
import { Button, buttonClass } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { EmptyState, ErrorPanel, Skeleton } from "@/ui/states";
import { Checks } from "./checks";
import { EditDialog } from "./edit-dialog";
import { ForgetDialog } from "./forget-dialog";
import { SourceList } from "./list";

/** The databases, and how each is backed up. */
export function Sources() {
  const { t } = useTranslation();
  const { api } = useServices();
  const allowed = usePermission("sources.write");
  const [edit, setEdit] = useQueryState("edit", parseAsString.withOptions({ history: "push" }));
  const [testing, setTesting] = useState<Source | null>(null);
  const test = useTestSource();
  const navigate = useNavigate();
  const [forgetting, setForgetting] = useState<Source | null>(null);
  const query = useInfiniteQuery(sourcesQuery(api));
  const sources = query.data?.pages.flatMap((page) => page.items);
  const add = allowed && (
    <Link to="/admin/backup?dialog=source" className={buttonClass({ variant: "primary", children: true })}>
      <Plus size={15} aria-hidden />
      {t("action.add_database")}
    </Link>
  );
  return (
    <div className="flex flex-col gap-4">
      <title>{`${t("page.sources")} · Guarda`}</title>
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0">
          <h1 className="font-semibold text-[19px] leading-6 tracking-[-0.012em]">{t("sources.title")}</h1>
          <p className="mt-0.5 max-w-[72ch] text-ink-2">{t("sources.text")}</p>
        </div>
        {add}
      </div>
      {query.isError && (
        <ErrorPanel
          error={query.error}
          title={sources ? t("error.stale") : t("error.sources")}
          onRetry={() => void query.refetch()}
        />
      )}
      {query.isPending ? (
        <div role="status" className="card divide-y divide-line">
          <span className="sr-only">{t("state.loading")}</span>
          {[0, 1, 2].map((i) => (
            <div key={i} className="flex h-[84px] items-center gap-4 px-4">
              <Skeleton className="h-4 w-48 max-w-full" />
              <Skeleton className="ml-auto h-8 w-24" />
            </div>
          ))}
        </div>
      ) : sources?.length === 0 ? (
        <div className="card">
          <EmptyState icon={<Database size={20} aria-hidden />} title={t("sources.none")} action={add}>
            {t("source_dialog.text")}
          </EmptyState>
        </div>
      ) : (
        sources && (
          <SourceList
            sources={sources}
            onTest={(source) => {
              setTesting(source);
              test.mutate(source.id);
            }}
            onEdit={(id) => void setEdit(id)}
            onForget={setForgetting}
          />
        )
      )}
      {query.hasNextPage && (
        <div className="flex justify-center">
          <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("action.more")}
          </Button>
        </div>
      )}
      <Dialog
        open={testing !== null}
        onOpenChange={(next) => !next && setTesting(null)}
        title={t("source_dialog.test_title", { name: testing?.name ?? "" })}
      >
        {testing && (
          <Checks
            test={test}
            onRetry={() => test.mutate(testing.id)}
            onDone={() => setTesting(null)}
            onRun={() => navigate(`/admin/backup?dialog=run&run_source=${testing.id}`)}
          />
        )}
      </Dialog>
      <EditDialog id={edit} onClose={() => void setEdit(null)} />
      <ForgetDialog source={forgetting} onClose={() => setForgetting(null)} />
    </div>
  );
}
