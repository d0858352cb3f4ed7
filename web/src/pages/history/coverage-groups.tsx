import { useTranslation } from "react-i18next";
import type { Ledger, LedgerStatus } from "@/api/types";
import { useFormat } from "@/format/use-format";

const columns: LedgerStatus[] = ["dumped", "excluded", "managed", "unreadable", "unsupported"];

/** How many objects of each kind there are, and what became of them. Empty columns are left away. */
export function CoverageGroups({ groups }: { groups: Ledger["groups"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const shown = columns.filter((status) => groups.some((group) => group[status] > 0));
  return (
    <details className="group">
      <summary className="w-fit cursor-pointer rounded font-semibold">{t("coverage.groups")}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className="mt-2 overflow-x-auto" tabIndex={0} aria-label={t("coverage.groups")}>
        <table className="w-full border-collapse text-[13px]">
          <thead>
            <tr className="border-b text-left text-[12px] text-ink-3">
              <th scope="col" className="py-1.5 pr-3 font-medium">
                {t("coverage.kind")}
              </th>
              <th scope="col" className="py-1.5 pr-3 font-medium">
                {t("coverage.schema")}
              </th>
              {shown.map((status) => (
                <th key={status} scope="col" className="whitespace-nowrap py-1.5 pl-3 text-right font-medium">
                  {t(`coverage.status_${status}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {groups.map((group) => (
              <tr key={`${group.kind} ${group.schema}`} className="border-line border-b last:border-b-0">
                <td className="py-1.5 pr-3">{group.kind_label}</td>
                <td className="break-words py-1.5 pr-3 text-ink-2">{group.schema || "—"}</td>
                {shown.map((status) => (
                  <td key={status} className="num py-1.5 pl-3 text-right">
                    {group[status] > 0 ? format.number(group[status]) : "—"}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}
