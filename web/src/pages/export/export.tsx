import { useTranslation } from "react-i18next";
import { useLogQuery } from "../logs/query";
import { ExportForm } from "./export-form";
import { Jobs } from "./jobs";

export function Export() {
  const { t } = useTranslation();
  const [query, set] = useLogQuery();
  return (
    <div className="flex flex-col gap-4">
      <title>{`${t("page.export")} · Guarda`}</title>
      <div>
        <h1 className="font-semibold text-[19px] leading-6 tracking-[-0.012em]">{t("export.title")}</h1>
        <p className="mt-0.5 text-ink-2">{t("export.text")}</p>
      </div>
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-5 xl:grid-cols-[minmax(0,460px)_minmax(0,1fr)] xl:gap-6">
        <ExportForm query={query} set={set} />
        <Jobs />
      </div>
    </div>
  );
}
