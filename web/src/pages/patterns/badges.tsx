import clsx from "clsx";
import { BellOff, type LucideIcon, Sparkles, TrendingUp } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { LogPattern } from "@/api/patterns";

/** What is unusual about a pattern: icon, word and colour. */
export function Badges({ pattern }: { pattern: LogPattern }) {
  const { t } = useTranslation();
  return (
    <>
      {pattern.new && <Badge icon={Sparkles} text={t("patterns.new")} className="bg-run-soft text-run" />}
      {pattern.surging && (
        <Badge icon={TrendingUp} text={t("patterns.surging")} className="bg-warn-soft text-warn" />
      )}
      {pattern.muted && <Badge icon={BellOff} text={t("patterns.muted")} className="bg-sunken text-ink-2" />}
    </>
  );
}

function Badge({ icon: Icon, text, className }: { icon: LucideIcon; text: string; className: string }) {
  return (
    <span
      className={clsx(
        "inline-flex h-5 shrink-0 items-center gap-1 whitespace-nowrap rounded-full px-2 font-medium text-[12px]",
        className,
      )}
    >
      <Icon size={12} aria-hidden />
      {text}
    </span>
  );
}
