import { Clock3, DatabaseZap, type LucideIcon, ShieldAlert, ShieldCheck, ShieldX } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Summary } from "@/api/types";
import { useNow } from "@/app/now";
import { useFormat } from "@/format/use-format";
import { type Health, overallHealth } from "@/shell/health";
import { type Tone, toneSoft, toneText } from "@/ui/status";

const looks: Record<Health["state"], { tone: Tone; icon: LucideIcon }> = {
  none: { tone: "idle", icon: DatabaseZap },
  ok: { tone: "ok", icon: ShieldCheck },
  first: { tone: "run", icon: Clock3 },
  late: { tone: "warn", icon: ShieldAlert },
  never: { tone: "warn", icon: ShieldAlert },
  failed: { tone: "bad", icon: ShieldX },
};

/** The answer to "are we safe?", in one sentence, with why in a second one. */
export function Headline({ summary }: { summary: Summary }) {
  const { t } = useTranslation();
  const format = useFormat();
  const now = useNow();
  const health = overallHealth(summary, now);
  const { tone, icon: Icon } = looks[health.state];
  const ago = health.lastSuccess ? format.relative(health.lastSuccess, now) : null;
  const names = new Intl.ListFormat(format.language).format(health.names);
  const tested = summary.last_restore_test
    ? t("headline.tested", { ago: format.relative(summary.last_restore_test, now) })
    : t("headline.untested");
  const detail = {
    none: "",
    ok: tested,
    first: t("headline.first_detail"),
    late: t("headline.late_detail"),
    never: t("headline.never_detail"),
    failed: ago ? t("headline.failed_detail", { ago }) : t("headline.failed_no_copy"),
  }[health.state];
  return (
    <div className="flex items-center gap-3.5">
      <span
        aria-hidden
        className={`inline-flex size-11 shrink-0 items-center justify-center rounded-[12px] ${toneSoft[tone]} ${toneText[tone]}`}
      >
        <Icon size={23} />
      </span>
      <div className="min-w-0">
        <h1 className="font-semibold text-[19px] leading-6 tracking-[-0.012em]">
          {t(`headline.${health.state}`, { ago: ago ?? "", names, count: health.names.length })}
        </h1>
        {detail && <p className="mt-0.5 text-ink-2">{detail}</p>}
      </div>
    </div>
  );
}
