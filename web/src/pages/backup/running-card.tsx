import clsx from "clsx";
import { Check, CircleStop } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { toast } from "sonner";
import { useCancelBackup } from "@/api/queries";
import type { Execution, PhaseName } from "@/api/types";
import { useSecond } from "@/app/now";
import { usePermission } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { ProgressBar } from "@/ui/progress";
import { describe, ErrorPanel } from "@/ui/states";
import { StatusIcon } from "@/ui/status";
import { Announcer } from "./announcer";

const order: PhaseName[] = ["queued", "connect", "catalog", "copy", "finish"];

/** A backup that is being made: where it is, how fast, how much is left, and how to stop it. */
export function RunningCard({ run }: { run: Execution }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useSecond();
  const p = run.progress;
  const phase: PhaseName = run.status === "pending" ? "queued" : (p?.phase ?? "queued");
  // Before the plan is made there is nothing to count.
  const known = p !== null && p.tables_total > 0;
  const copying = phase === "copy" && p !== null && p.bytes_total > 0;
  // The total is an estimate: never say 100 % before the end.
  const share = copying
    ? Math.min(0.99, p.bytes_done / p.bytes_total)
    : phase === "finish" || phase === "done"
      ? 1
      : null;
  const elapsed = Math.max(0, (now - Date.parse(run.started_at)) / 1000);
  const left = copying && p.seconds_left != null ? format.duration(Math.ceil(p.seconds_left)) : null;
  const figures: [string, string][] = [
    [t("run.bytes"), known ? `${format.bytes(p.bytes_done)} / ${format.bytes(p.bytes_total)}` : "—"],
    [t("run.rows"), known ? format.number(p.rows_done) : "—"],
    [t("run.tables"), known ? `${format.number(p.tables_done)} / ${format.number(p.tables_total)}` : "—"],
    [t("run.rate"), p?.bytes_per_second ? format.rate(p.bytes_per_second) : "—"],
    [t("run.elapsed"), format.duration(Math.floor(elapsed))],
    [t("run.left"), left ?? "—"],
  ];
  return (
    <section
      aria-label={t("run.label", { name: run.source_name })}
      className="card border-run-fill/45 p-4 md:p-5"
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <StatusIcon outcome={run.status === "pending" ? "pending" : "running"} size={18} />
        <h2 className="min-w-0 flex-1 font-semibold">
          {t("run.title", { name: run.source_name })}
          <span className="ml-2 font-normal text-ink-2">{t(`type.${run.type}`)}</span>
        </h2>
        <Link
          to={`/admin/backup/history?run=${run.id}`}
          className="rounded font-medium text-accent hover:underline"
        >
          {t("action.details")}
        </Link>
        <CancelButton run={run} />
      </div>
      <ol className="mt-4 flex flex-wrap items-center gap-x-4 gap-y-1 text-[13px]">
        {order.map((name, i) => {
          const at = order.indexOf(phase === "done" ? "finish" : phase);
          const state = i < at ? "done" : i === at ? "now" : "next";
          return (
            <li
              key={name}
              aria-current={state === "now" ? "step" : undefined}
              className={clsx(
                "flex items-center gap-1.5",
                state === "now" ? "font-semibold text-run" : state === "done" ? "text-ink-2" : "text-ink-3",
              )}
            >
              {state === "done" ? (
                <Check size={13} aria-hidden className="text-ok" />
              ) : (
                <span
                  aria-hidden
                  className={clsx(
                    "mx-[3px] size-[7px] rounded-full",
                    state === "now" ? "pulse-dot bg-run-fill" : "bg-line-strong",
                  )}
                />
              )}
              {t(`phase.${name}`)}
              {state === "done" && <span className="sr-only">{t("phase.is_done")}</span>}
            </li>
          );
        })}
      </ol>
      <div className="mt-3 flex items-center gap-3">
        <div className="flex-1">
          <ProgressBar
            value={share}
            label={t("run.progress")}
            text={share === null ? t(`phase.${phase}`) : format.percent(share)}
          />
        </div>
        <span className="num w-10 text-right font-semibold">
          {share === null ? "" : format.percent(share)}
        </span>
      </div>
      <dl className="mt-4 grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-3 lg:grid-cols-6">
        {figures.map(([label, value]) => (
          <div key={label}>
            <dt className="text-[12px] text-ink-3">{label}</dt>
            <dd className="num font-medium">{value}</dd>
          </div>
        ))}
      </dl>
      <Announcer phase={t(`phase.${phase}`)} share={share} name={run.source_name} />
    </section>
  );
}

export function CancelButton({
  run,
  size = "sm",
}: {
  run: Pick<Execution, "id" | "source_name">;
  size?: "sm" | "md";
}) {
  const { t } = useTranslation();
  const allowed = usePermission("backup.cancel");
  const [open, setOpen] = useState(false);
  const cancel = useCancelBackup();
  const keep = useRef<HTMLButtonElement>(null);
  const stopping = cancel.isSuccess;
  return (
    <>
      <Button
        size={size}
        icon={<CircleStop size={14} aria-hidden />}
        reason={
          !allowed
            ? t("permission.missing", { permission: "backup.cancel" })
            : stopping
              ? t("cancel.told")
              : null
        }
        onClick={() => setOpen(true)}
      >
        {stopping ? t("cancel.stopping") : t("action.cancel_backup")}
      </Button>
      <Dialog
        open={open}
        onOpenChange={(next) => {
          setOpen(next);
          if (!next) cancel.reset();
        }}
        title={t("cancel.title", { name: run.source_name })}
        description={t("cancel.text")}
        initialFocus={keep}
      >
        {cancel.isError && (
          <div className="mb-4">
            <ErrorPanel compact error={cancel.error} />
          </div>
        )}
        <div className="flex justify-end gap-2">
          <Button ref={keep} onClick={() => setOpen(false)}>
            {t("cancel.keep")}
          </Button>
          <Button
            variant="danger"
            busy={cancel.isPending}
            onClick={() =>
              cancel.mutate(run.id, {
                onSuccess: () => {
                  setOpen(false);
                  toast(t("cancel.done"));
                },
                onError: (error) => toast.error(describe(error, t).message),
              })
            }
          >
            {t("cancel.confirm")}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
