import clsx from "clsx";
import {
  CircleCheck,
  CircleDashed,
  CircleSlash,
  CircleX,
  Clock,
  LoaderCircle,
  type LucideIcon,
  TriangleAlert,
} from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Outcome } from "@/api/types";

export type Tone = "ok" | "warn" | "bad" | "run" | "idle";

const looks: Record<Outcome, { tone: Tone; icon: LucideIcon }> = {
  completed: { tone: "ok", icon: CircleCheck },
  warned: { tone: "warn", icon: TriangleAlert },
  failed: { tone: "bad", icon: CircleX },
  canceled: { tone: "idle", icon: CircleSlash },
  running: { tone: "run", icon: LoaderCircle },
  pending: { tone: "run", icon: Clock },
};

export const toneText: Record<Tone, string> = {
  ok: "text-ok",
  warn: "text-warn",
  bad: "text-bad",
  run: "text-run",
  idle: "text-ink-2",
};
export const toneSoft: Record<Tone, string> = {
  ok: "bg-ok-soft",
  warn: "bg-warn-soft",
  bad: "bg-bad-soft",
  run: "bg-run-soft",
  idle: "bg-sunken",
};
export const toneFill: Record<Tone, string> = {
  ok: "bg-ok-fill",
  warn: "bg-warn-fill",
  bad: "bg-bad-fill",
  run: "bg-run-fill",
  idle: "bg-idle-fill",
};

export const toneOf = (outcome: Outcome): Tone => looks[outcome].tone;

export function StatusIcon({ outcome, size = 15 }: { outcome: Outcome | "never"; size?: number }) {
  const { icon: Icon, tone } =
    outcome === "never" ? { icon: CircleDashed, tone: "idle" as Tone } : looks[outcome];
  return (
    <Icon
      size={size}
      aria-hidden
      className={clsx("shrink-0", toneText[tone], outcome === "running" && "animate-spin")}
    />
  );
}

/** Icon, word and colour: no one of them carries the meaning alone. */
export function StatusBadge({ outcome, plain = false }: { outcome: Outcome; plain?: boolean }) {
  const { t } = useTranslation();
  const { tone } = looks[outcome];
  return (
    <span
      className={clsx(
        "inline-flex items-center gap-1.5 whitespace-nowrap font-medium text-[13px]",
        toneText[tone],
        !plain && ["h-6 rounded-full pr-2.5 pl-1.5", toneSoft[tone]],
      )}
    >
      <StatusIcon outcome={outcome} size={14} />
      {t(`status.${outcome}`)}
    </span>
  );
}
