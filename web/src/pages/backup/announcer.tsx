import { useTranslation } from "react-i18next";
import { useFormat } from "@/format/use-format";

/**
 * Tells a screen reader how far a backup is: at each phase and each quarter,
 * because a voice that speaks every second is worse than none.
 */
export function Announcer({ phase, share, name }: { phase: string; share: number | null; name: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const quarter = share === null ? null : Math.floor(share * 4) / 4;
  const text =
    quarter === null || quarter === 0 || quarter === 1
      ? t("run.announce_phase", { name, phase })
      : t("run.announce_share", { name, phase, share: format.percent(quarter) });
  return (
    <p aria-live="polite" className="sr-only">
      {text}
    </p>
  );
}
