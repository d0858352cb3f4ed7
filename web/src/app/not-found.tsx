import { Compass } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { buttonClass } from "@/ui/button";
import { EmptyState } from "@/ui/states";

export function NotFound() {
  const { t } = useTranslation();
  return (
    <>
      <title>{`${t("not_found.title")} · Guarda`}</title>
      <h1 className="sr-only">{t("not_found.title")}</h1>
      <EmptyState
        icon={<Compass size={20} aria-hidden />}
        title={t("not_found.title")}
        action={
          <Link to="/admin/backup" className={buttonClass({ children: true })}>
            {t("not_found.back")}
          </Link>
        }
      >
        {t("not_found.text")}
      </EmptyState>
    </>
  );
}
