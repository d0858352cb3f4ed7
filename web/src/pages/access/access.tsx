import { useInfiniteQuery } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { parseAsBoolean, useQueryState } from "nuqs";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type ApiKey, apiKeysQuery } from "@/api/access";
import { usePermission, useServices } from "@/app/services";
import { Button } from "@/ui/button";
import { EmptyState, ErrorPanel, Skeleton } from "@/ui/states";
import { KeyDialog } from "./key-dialog";
import { KeyList } from "./key-list";
import { RevokeDialog } from "./revoke-dialog";

/** Who may call the API without a person's password. */
export function Access() {
  const { t } = useTranslation();
  const { api } = useServices();
  const allowed = usePermission("access.write");
  const [making, setMaking] = useQueryState("new", parseAsBoolean.withDefault(false));
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const query = useInfiniteQuery({ ...apiKeysQuery(api), enabled: allowed });
  const keys = query.data?.pages.flatMap((page) => page.items);
  const add = (
    <Button
      variant="primary"
      icon={<Plus size={15} aria-hidden />}
      reason={allowed ? null : t("permission.missing", { permission: "access.write" })}
      onClick={() => void setMaking(true)}
    >
      {t("access.new")}
    </Button>
  );
  return (
    <div className="flex flex-col gap-4">
      <title>{`${t("page.access")} · Guarda`}</title>
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0">
          <h1 className="font-semibold text-[19px] leading-6 tracking-[-0.012em]">{t("access.title")}</h1>
          <p className="mt-0.5 max-w-[72ch] text-ink-2">{t("access.text")}</p>
        </div>
        {add}
      </div>
      {!allowed ? (
        <div className="card">
          <EmptyState icon={<KeyRound size={20} aria-hidden />} title={t("access.hidden")}>
            {t("permission.missing", { permission: "access.write" })}
          </EmptyState>
        </div>
      ) : (
        <>
          {query.isError && (
            <ErrorPanel
              error={query.error}
              title={keys ? t("error.stale") : t("error.api_keys")}
              onRetry={() => void query.refetch()}
            />
          )}
          {query.isPending ? (
            <div role="status" className="card divide-y divide-line">
              <span className="sr-only">{t("state.loading")}</span>
              {[0, 1, 2].map((i) => (
                <div key={i} className="flex h-[68px] items-center gap-4 px-4">
                  <Skeleton className="h-4 w-48 max-w-full" />
                  <Skeleton className="ml-auto h-8 w-24" />
                </div>
              ))}
            </div>
          ) : keys?.length === 0 ? (
            <div className="card">
              <EmptyState icon={<KeyRound size={20} aria-hidden />} title={t("access.none")} action={add}>
                {t("access.none_text")}
              </EmptyState>
            </div>
          ) : (
            keys && <KeyList keys={keys} onRevoke={setRevoking} />
          )}
          {query.hasNextPage && (
            <div className="flex justify-center">
              <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                {t("action.more")}
              </Button>
            </div>
          )}
          <KeyDialog open={making} onClose={() => void setMaking(null)} />
          <RevokeDialog apiKey={revoking} onClose={() => setRevoking(null)} />
        </>
      )}
    </div>
  );
}
