import { Pencil, Play, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { toast } from "sonner";
import { ApiError } from "@/api/problem";
import { type Schedule, useRunSchedule, useSwitchSchedule } from "@/api/schedules";
import { isActive, outcomeOf } from "@/api/types";
import { usePermission } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { describe } from "@/ui/states";
import { StatusBadge } from "@/ui/status";
import { Switch } from "@/ui/switch";
import { Time } from "@/ui/time";
import { inWords } from "./cron";

type Props = { onEdit: (id: string) => void; onRemove: (schedule: Schedule) => void };

export function ScheduleRows({ schedules, ...props }: Props & { schedules: Schedule[] }) {
  const { t } = useTranslation();
  return (
    <ul aria-label={t("schedules.list")} className="card divide-y divide-line">
      {schedules.map((schedule) => (
        <Row key={schedule.id} schedule={schedule} {...props} />
      ))}
    </ul>
  );
}

function Row({ schedule, onEdit, onRemove }: Props & { schedule: Schedule }) {
  const { t } = useTranslation();
  const { language } = useFormat();
  const words = inWords(schedule.cron_expression, language);
  const { configuration: c, last_execution: last, next_runs: next } = schedule;
  return (
    <li className="grid gap-x-6 gap-y-2.5 px-4 py-3.5 lg:grid-cols-[minmax(0,1.5fr)_minmax(0,1fr)_minmax(0,0.8fr)_auto] lg:items-center">
      <div className="min-w-0">
        <p className="break-words font-semibold">{schedule.name}</p>
        <p className="break-words">
          {t(words.key, words.values)}
          <span className="text-ink-2">
            {" · "}
            {c.timezone?.replaceAll("_", " ") || t("schedules.default_zone")}
          </span>
        </p>
        <p className="break-words text-[13px] text-ink-2">
          {t(`type.${schedule.backup_type}`)}
          {" · "}
          {schedule.source_name ?? t("schedules.no_source")}
          {" · "}
          {t(`schedules.overlap_${c.overlap ?? "skip"}_short`)}
          {c.tables?.length ? ` · ${c.tables.join(", ")}` : ""}
        </p>
      </div>
      <div className="min-w-0">
        {schedule.active && schedule.next_run ? (
          <>
            <p>
              <span className="text-ink-2">{t("schedules.next")}</span>{" "}
              <Time iso={schedule.next_run} relative focusable />
            </p>
            {next.length > 0 && (
              <details>
                <summary className="w-fit cursor-pointer rounded text-[13px] text-ink-2">
                  {t("schedules.next_runs")}
                </summary>
                <ol className="mt-1 text-[13px] text-ink-2">
                  {next.map((iso) => (
                    <li key={iso}>
                      <Time iso={iso} style="full" />
                    </li>
                  ))}
                </ol>
              </details>
            )}
          </>
        ) : (
          <p className="text-ink-2">{t("schedules.off")}</p>
        )}
      </div>
      <div className="flex min-w-0 flex-wrap items-center gap-x-2 text-[13px] lg:block">
        {last ? (
          <Link
            to={`/admin/backup/history?run=${last.id}`}
            className="flex flex-wrap items-center gap-x-2 rounded hover:underline"
          >
            <StatusBadge outcome={outcomeOf(last)} plain />
            <span className="text-ink-2">
              <Time iso={last.started_at} relative />
            </span>
          </Link>
        ) : (
          <span className="text-ink-2">{t("schedules.never_ran")}</span>
        )}
      </div>
      <Actions schedule={schedule} onEdit={onEdit} onRemove={onRemove} />
    </li>
  );
}

function Actions({ schedule, onEdit, onRemove }: Props & { schedule: Schedule }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const writes = usePermission("schedules.write");
  const runs = usePermission("backup.run");
  const flip = useSwitchSchedule();
  const run = useRunSchedule();
  const { id, name, active, last_execution: last } = schedule;
  const noWrite = writes ? null : t("permission.missing", { permission: "schedules.write" });
  const follow = (execution: string) => ({
    label: t("action.follow"),
    onClick: () => navigate(`/admin/backup/history?run=${execution}`),
  });
  const refused = (error: unknown) => {
    const { message, hint } = describe(error, t);
    const going = error instanceof ApiError ? error.backupId : undefined;
    toast.error(message, { description: hint, action: going ? follow(going) : undefined });
  };
  return (
    <div className="flex items-center gap-2 lg:justify-end">
      <Switch
        on={flip.isPending ? flip.variables.active : active}
        busy={flip.isPending}
        label={t("schedules.active_of", { name })}
        reason={noWrite}
        onChange={(on) =>
          flip.mutate(
            { id, active: on },
            {
              onSuccess: () => toast.success(t(on ? "schedules.is_on" : "schedules.is_off", { name })),
              onError: refused,
            },
          )
        }
      />
      <Button
        size="sm"
        icon={<Play size={13} aria-hidden />}
        aria-label={t("schedules.run_of", { name })}
        busy={run.isPending}
        reason={
          !runs
            ? t("permission.missing", { permission: "backup.run" })
            : isActive(last)
              ? t("run.already_running")
              : null
        }
        onClick={() =>
          run.mutate(
            { id, key: crypto.randomUUID() },
            {
              onSuccess: (execution) =>
                toast.success(t("run_dialog.started"), { action: follow(execution.id) }),
              onError: refused,
            },
          )
        }
      >
        {t("schedules.run")}
      </Button>
      <Button
        size="sm"
        variant="ghost"
        aria-label={t("schedules.edit_of", { name })}
        icon={<Pencil size={15} aria-hidden />}
        reason={noWrite}
        onClick={() => onEdit(id)}
      />
      <Button
        size="sm"
        variant="ghost"
        aria-label={t("schedules.remove_of", { name })}
        icon={<Trash2 size={15} aria-hidden />}
        reason={noWrite}
        onClick={() => onRemove(schedule)}
      />
    </div>
  );
}
