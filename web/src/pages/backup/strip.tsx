import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { type ExecutionBrief, outcomeOf } from "@/api/types";
import { useFormat } from "@/format/use-format";
import { toneFill, toneOf } from "@/ui/status";
import { Tooltip } from "@/ui/tooltip";

const shown = 30;

/**
 * The last runs, newest to the right. The bars' heights tell the outcomes apart
 * without colour; one sentence tells all of it to a screen reader.
 */
export function RunStrip({ runs, name }: { runs: ExecutionBrief[]; name: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const bars = runs.slice(-shown);
  const count = (wanted: (o: ReturnType<typeof outcomeOf>) => boolean) =>
    bars.filter((run) => wanted(outcomeOf(run))).length;
  const good = count((o) => o === "completed" || o === "warned");
  const failed = count((o) => o === "failed");
  return (
    <div className="flex items-end gap-[3px]">
      <span className="sr-only">{t("backup.strip", { count: bars.length, name, good, failed })}</span>
      {Array.from({ length: shown - bars.length }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: empty places have no other identity
        <span key={i} aria-hidden className="h-6 w-[5px] rounded-[2px] bg-sunken" />
      ))}
      {bars.map((run) => {
        const outcome = outcomeOf(run);
        const text = [
          t(`status.${outcome}`),
          format.dateTime(run.started_at),
          run.duration_seconds != null && format.duration(run.duration_seconds),
          run.size_bytes != null && format.bytes(run.size_bytes),
        ]
          .filter(Boolean)
          .join(" · ");
        return (
          <Tooltip key={run.id} text={text}>
            <Link
              to={`/admin/backup/history?run=${run.id}`}
              // 30 tab stops a row would hide the page from the keyboard: the history lists the same runs.
              tabIndex={-1}
              aria-hidden
              className="flex h-6 w-[5px] items-end rounded-[2px] hover:opacity-70"
            >
              <span className={`w-full rounded-[2px] ${heights[outcome]} ${toneFill[toneOf(outcome)]}`} />
            </Link>
          </Tooltip>
        );
      })}
    </div>
  );
}

const heights = {
  completed: "h-6",
  warned: "h-[18px]",
  failed: "h-2.5",
  canceled: "h-1.5",
  running: "h-6 pulse-dot",
  pending: "h-3 pulse-dot",
};
