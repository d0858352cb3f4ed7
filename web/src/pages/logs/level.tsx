import clsx from "clsx";
import { Bug, CircleAlert, Info, type LucideIcon, OctagonAlert, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { LogLevel } from "@/api/logs";

/** Each level's sign, text colour and the colour of its part of a bar. */
export const looks: Record<LogLevel, { icon: LucideIcon; text: string; fill: string }> = {
  critical: { icon: OctagonAlert, text: "text-bad", fill: "var(--critical-fill)" },
  error: { icon: CircleAlert, text: "text-bad", fill: "var(--bad-fill)" },
  warn: { icon: TriangleAlert, text: "text-warn", fill: "var(--warn-fill)" },
  info: { icon: Info, text: "text-run", fill: "var(--run-fill)" },
  debug: { icon: Bug, text: "text-ink-3", fill: "var(--idle-fill)" },
};

export function Level({
  level,
  className,
  textClassName,
}: {
  level: LogLevel;
  className?: string;
  /** Of its name, where there may be room for the sign only. */
  textClassName?: string;
}) {
  const { t } = useTranslation();
  const { icon: Icon, text } = looks[level];
  return (
    <span className={clsx("inline-flex items-center gap-1.5 whitespace-nowrap", text, className)}>
      <Icon size={13} aria-hidden className="shrink-0" />
      <span className={textClassName}>{t(`level.${level}`)}</span>
    </span>
  );
}
