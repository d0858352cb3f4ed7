import { useInfiniteQuery } from "@tanstack/react-query";
import { Download, FileLock2, Lock } from "lucide-react";
import { useTranslation } from "react-i18next";
import { downloadQuery } from "@/api/queries";
import { type ExecutionDetail, isActive } from "@/api/types";
import { usePermission, useServices } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { CopyButton, EmptyState, ErrorPanel, Skeleton } from "@/ui/states";
import { Time } from "@/ui/time";

/** The stored files with links that work for an hour; asked for only when this tab is opened. */
export function Files({ run }: { run: ExecutionDetail }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { api } = useServices();
  const allowed = usePermission("backup.download");
  const complete = run.status === "completed";
  const query = useInfiniteQuery({ ...downloadQuery(api, run.id), enabled: allowed && complete });
  if (!complete) {
    return (
      <EmptyState icon={<FileLock2 size={20} aria-hidden />} title={t("files.none")}>
        {isActive(run) ? t("files.not_yet") : t("files.failed")}
      </EmptyState>
    );
  }
  if (!allowed) {
    return (
      <EmptyState icon={<Lock size={20} aria-hidden />} title={t("files.forbidden")}>
        {t("permission.missing", { permission: "backup.download" })}
      </EmptyState>
    );
  }
  if (query.isError) {
    return <ErrorPanel error={query.error} title={t("error.files")} onRetry={() => void query.refetch()} />;
  }
  if (!query.data) {
    return (
      <div role="status" aria-label={t("state.loading")} className="flex flex-col gap-3">
        {[0, 1, 2, 3, 4].map((i) => (
          <Skeleton key={i} className="h-8" />
        ))}
      </div>
    );
  }
  const files = query.data.pages.flatMap((page) => page.items);
  // All lie in the backup's folder, which the overview names: here it would hide what differs.
  const folder = run.store_path ? `${run.store_path.replace(/\/$/, "")}/` : "";
  const nameOf = (path: string) => (folder && path.startsWith(folder) ? path.slice(folder.length) : path);
  // What was not copied again lies in an earlier backup's folder.
  const earlier = (path: string) =>
    folder && !path.startsWith(folder) ? path.split("/").slice(0, 2).join("/") : "";
  const expires = query.data.pages.at(-1)!.expires_at;
  return (
    <>
      <p className="mb-3 text-[13px] text-ink-2">
        {t("files.text")} {t("files.expires")} <Time iso={expires} style="time" />.
      </p>
      <ul className="divide-y divide-line">
        {files.map((file) => (
          <li key={file.path} className="flex items-center gap-3 py-2">
            <div className="min-w-0 flex-1">
              <p className="break-all font-mono text-[12.5px]" title={file.path}>
                {nameOf(file.path).slice(earlier(file.path) ? earlier(file.path).length + 1 : 0)}
              </p>
              {earlier(file.path) && (
                <p className="text-[12px] text-ink-3">
                  {t("files.of_earlier")} <code className="break-all font-mono">{earlier(file.path)}</code>
                </p>
              )}
              {file.checksum && (
                <p className="flex items-center gap-1 text-[12px] text-ink-3">
                  <span className="whitespace-nowrap">SHA-256</span>{" "}
                  <code className="truncate font-mono">{file.checksum}</code>
                  <CopyButton text={file.checksum} label={t("files.copy_checksum", { path: file.path })} />
                </p>
              )}
            </div>
            <span className="num shrink-0 text-[13px] text-ink-2">{format.bytes(file.size_bytes)}</span>
            <a
              href={file.url}
              download
              aria-label={t("files.download", { path: file.path })}
              className="inline-flex size-8 shrink-0 items-center justify-center rounded-control text-ink-2 hover:bg-hover hover:text-ink"
            >
              <Download size={16} aria-hidden />
            </a>
          </li>
        ))}
      </ul>
      {query.hasNextPage && (
        <div className="mt-3 flex justify-center">
          <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("action.more")}
          </Button>
        </div>
      )}
    </>
  );
}
