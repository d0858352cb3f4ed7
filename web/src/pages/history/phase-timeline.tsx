import { useTranslation } from "react-i18next";
import { type ExecutionDetail, isActive } from "@/api/types";
import { useSecond } from "@/app/now";
import { useFormat } from "@/format/use-format";
import { Time } from "@/ui/time";

/** When each phase began and how long it took, drawn on the run's own time. */
export function PhaseTimeline({ run }: { run: ExecutionDetail }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useSecond();
  const phases = run.phases.filter((phase) => phase.name !== "done");
  if (phases.length === 0) return <p className="text-ink-2">{t("detail.no_phases")}</p>;
  const begin = Date.parse(phases[0]!.started_at);
  const stop = isActive(run) ? now : run.completed_at ? Date.parse(run.completed_at) : begin;
  const ends = phases.map((phase, i) =>
    phase.completed_at
      ? Date.parse(phase.completed_at)
      : phases[i + 1]
        ? Date.parse(phases[i + 1]!.started_at)
        : stop,
  );
  const total = Math.max(1, stop - begin, ...ends.map((end) => end - begin));
  return (
    <ol className="flex flex-col gap-1">
      {phases.map((phase, i) => {
        const start = Date.parse(phase.started_at);
        const seconds = Math.max(0, (ends[i]! - start) / 1000);
        const current = isActive(run) && i === phases.length - 1;
        const broke = run.status === "failed" && !run.canceled && i === phases.length - 1;
        return (
          <li
            key={`${phase.name} ${phase.started_at}`}
            className="grid grid-cols-[112px_1fr_72px] items-center gap-3"
          >
            <span className="truncate text-ink-2">{t(`phase.${phase.name}`)}</span>
            <span className="relative h-4 rounded bg-sunken" aria-hidden>
              <span
                className={`absolute inset-y-0 min-w-[3px] rounded ${broke ? "bg-bad-fill" : current ? "stripes bg-run-fill" : "bg-accent"}`}
                style={{
                  left: `${Math.min(99, ((start - begin) / total) * 100)}%`,
                  width: `${Math.min(100, ((seconds * 1000) / total) * 100)}%`,
                }}
              />
            </span>
            <span className="num text-right font-medium">{format.duration(seconds)}</span>
            <span className="sr-only">
              <Time iso={phase.started_at} style="time" />
              {broke && t("detail.broke_here")}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
