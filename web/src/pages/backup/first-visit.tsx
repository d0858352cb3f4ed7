import { Plus } from "lucide-react";
import { useTranslation } from "react-i18next";
import { usePermission } from "@/app/services";
import { Button } from "@/ui/button";
import { Logo } from "@/ui/logo";

/** Nothing is here yet: what will happen, and the one button that starts it. */
export function FirstVisit({ onAdd }: { onAdd: () => void }) {
  const { t } = useTranslation();
  const allowed = usePermission("sources.write");
  return (
    <div className="card mx-auto max-w-[720px] px-6 py-8 md:px-10">
      <div className="flex flex-col items-center text-center">
        <Logo size={44} />
        <h1 className="mt-3 font-semibold text-[19px] leading-6">{t("first.title")}</h1>
        <p className="mt-1 text-ink-2">{t("first.text")}</p>
      </div>
      <ol className="mt-7 grid gap-4 sm:grid-cols-3">
        {[1, 2, 3].map((n) => (
          <li key={n} className="rounded-card border bg-sunken p-4">
            <span
              aria-hidden
              className="num inline-flex size-6 items-center justify-center rounded-full bg-accent-soft font-semibold text-[13px] text-accent"
            >
              {n}
            </span>
            <p className="mt-2 font-semibold">{t(`first.step${n}`)}</p>
            <p className="mt-0.5 text-[13px] text-ink-2 leading-[18px]">{t(`first.step${n}_text`)}</p>
          </li>
        ))}
      </ol>
      <div className="mt-7 flex justify-center">
        <Button
          variant="primary"
          icon={<Plus size={15} aria-hidden />}
          onClick={onAdd}
          reason={allowed ? null : t("permission.missing", { permission: "sources.write" })}
        >
          {t("first.button")}
        </Button>
      </div>
    </div>
  );
}
