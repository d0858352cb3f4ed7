import { CircleCheck, CircleMinus, CircleX, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { useTestSource } from "@/api/sources";
import type { SourceTest } from "@/api/types";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { ErrorPanel, Skeleton } from "@/ui/states";

/** What a backup of a database needs, one thing at a time, and the way to one. */
export function Checks({
  test,
  onRetry,
  onDone,
  onRun,
}: {
  test: ReturnType<typeof useTestSource>;
  onRetry: () => void;
  onDone: () => void;
  onRun: () => void;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <div className="flex flex-col gap-4">
      {test.isError ? (
        <ErrorPanel compact error={test.error} onRetry={onRetry} />
      ) : test.data ? (
        <>
          <p>
            {test.data.ok ? t("source_dialog.ok") : t("source_dialog.not_ok")}{" "}
            <span className="text-ink-2">
              {[
                test.data.server_version && `PostgreSQL ${test.data.server_version}`,
                test.data.size_bytes != null && format.bytes(test.data.size_bytes),
              ]
                .filter(Boolean)
                .join(" · ")}
            </span>
          </p>
          {test.data.preset && test.data.preset.name !== "none" && (
            <p className="text-ink-2">
              {t("source_dialog.preset_found", {
                platform: t(`preset.${test.data.preset.name}`),
                schemas: test.data.preset.managed_schemas.join(", ") || "—",
              })}
            </p>
          )}
          <ul className="flex flex-col gap-2.5">
            {test.data.checks.map((check) => (
              <li key={check.name} className="flex gap-2.5">
                <CheckIcon status={check.status} />
                <div className="min-w-0">
                  <p className="break-words">
                    <span className="font-medium">{t(`check.${check.name}`)}</span>{" "}
                    <span className="text-ink-2">{check.message}</span>
                  </p>
                  {check.hint && <p className="break-words text-[13px] text-ink-2">{check.hint}</p>}
                </div>
              </li>
            ))}
          </ul>
        </>
      ) : (
        <div role="status" aria-label={t("source_dialog.testing")} className="flex flex-col gap-3">
          {[0, 1, 2, 3, 4].map((i) => (
            <Skeleton key={i} className="h-5" />
          ))}
        </div>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>{t("action.close")}</Button>
        <Button
          variant="primary"
          onClick={onRun}
          reason={
            test.data?.ok ? null : test.isPending ? t("source_dialog.testing") : t("source_dialog.fix_first")
          }
        >
          {t("source_dialog.first_backup")}
        </Button>
      </div>
    </div>
  );
}

function CheckIcon({ status }: { status: SourceTest["checks"][number]["status"] }) {
  const { t } = useTranslation();
  const looks = {
    ok: <CircleCheck size={17} aria-hidden className="text-ok" />,
    warning: <TriangleAlert size={17} aria-hidden className="text-warn" />,
    failed: <CircleX size={17} aria-hidden className="text-bad" />,
    skipped: <CircleMinus size={17} aria-hidden className="text-ink-3" />,
  };
  return (
    <span className="mt-0.5 shrink-0">
      {looks[status]}
      <span className="sr-only">{t(`check.${status}`)}</span>
    </span>
  );
}
