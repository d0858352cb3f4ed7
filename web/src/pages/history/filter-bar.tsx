import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { summaryQuery } from "@/api/queries";
import type { BackupType } from "@/api/types";
import { useServices } from "@/app/services";
import { Button } from "@/ui/button";
import { Select } from "@/ui/select";
import { StatusIcon } from "@/ui/status";
import { isFiltered, type Period, periods, statuses, types, useFilters } from "./filters";

const icons = { completed: "completed", failed: "failed", active: "running" } as const;
const any = "any";

export function FilterBar() {
  const { t } = useTranslation();
  const { api } = useServices();
  const { data } = useQuery(summaryQuery(api));
  const [filters, setFilters] = useFilters();
  const sources = data?.sources ?? [];
  return (
    <search aria-label={t("history.filters")} className="flex flex-wrap items-center gap-2">
      <fieldset className="flex rounded-control border border-line-strong bg-surface shadow-card">
        <legend className="sr-only">{t("history.status")}</legend>
        {statuses.map((status, i) => {
          const on = filters.status.includes(status);
          return (
            <button
              key={status}
              type="button"
              aria-pressed={on}
              data-slash={i === 0 ? "" : undefined}
              onClick={() =>
                setFilters({
                  status: on ? filters.status.filter((s) => s !== status) : [...filters.status, status],
                })
              }
              className={clsx(
                "inline-flex h-[30px] items-center gap-1.5 whitespace-nowrap border-line-strong px-2 sm:px-2.5 first-of-type:rounded-l-[6px] last-of-type:rounded-r-[6px] [&+button]:border-l",
                on ? "bg-accent-soft font-medium text-accent" : "text-ink-2 hover:bg-hover hover:text-ink",
              )}
            >
              <StatusIcon outcome={icons[status]} size={14} />
              {t(`history.status_${status}`)}
            </button>
          );
        })}
      </fieldset>
      <Select
        label={t("history.type")}
        value={filters.type ?? any}
        onChange={(value) => setFilters({ type: value === any ? null : (value as BackupType) })}
        options={[
          { value: any, label: t("history.any_type") },
          ...types.map((value) => ({ value, label: t(`type.${value}`) })),
        ]}
      />
      <Select
        label={t("history.source")}
        value={filters.source ?? any}
        onChange={(value) => setFilters({ source: value === any ? null : value })}
        options={[
          { value: any, label: t("shell.all_databases") },
          ...sources.map((row) => ({ value: row.source.id, label: row.source.name })),
          ...(filters.source && !sources.some((row) => row.source.id === filters.source)
            ? [{ value: filters.source, label: data ? t("history.unknown_source") : t("state.loading") }]
            : []),
        ]}
        className="max-w-52"
      />
      <Select
        label={t("history.period")}
        value={filters.period}
        onChange={(value) => setFilters({ period: value as Period })}
        options={periods.map((value) => ({ value, label: t(`history.period_${value}`) }))}
      />
      {isFiltered(filters) && (
        <Button variant="ghost" icon={<X size={14} aria-hidden />} onClick={() => setFilters(null)}>
          {t("action.clear_filters")}
        </Button>
      )}
    </search>
  );
}
