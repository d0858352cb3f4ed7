import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { Search, Sparkles, TrendingUp, X } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { facetsQuery, type LogLevel } from "@/api/logs";
import { useNow } from "@/app/now";
import { useServices } from "@/app/services";
import { Button } from "@/ui/button";
import { inputClass } from "@/ui/field";
import { Select } from "@/ui/select";
import { boundsOf, levels } from "../logs/query";
import { RangePicker } from "../logs/range-picker";
import { type Filters, isFiltered, noFilters, type SetFilters, statuses } from "./filters";

const icons = { new: Sparkles, surging: TrendingUp };
const any = "any";

export function FilterBar({ filters, set }: { filters: Filters; set: SetFilters }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const { data } = useQuery({
    ...facetsQuery(api, boundsOf(filters, useNow())),
    placeholderData: (previous) => previous,
  });
  const [text, setText] = useState(filters.q);
  // The address may change without typing: the browser's back, a cleared filter.
  useEffect(() => setText(filters.q), [filters.q]);
  const sources = [...new Set([...filters.from, ...(data?.sources.map((facet) => facet.value) ?? [])])];
  return (
    <search aria-label={t("patterns.filters")} className="flex flex-wrap items-center gap-2">
      <form
        className="flex min-w-0 flex-[1_1_260px]"
        onSubmit={(event) => {
          event.preventDefault();
          void set({ q: text.trim() });
        }}
      >
        <input
          type="search"
          data-slash=""
          aria-label={t("patterns.search")}
          placeholder={t("patterns.placeholder")}
          value={text}
          maxLength={200}
          spellCheck={false}
          onChange={(event) => setText(event.target.value)}
          className={clsx(inputClass, "rounded-r-none font-mono text-[13px]")}
        />
        <Button
          type="submit"
          aria-label={t("logs.submit")}
          icon={<Search size={15} aria-hidden />}
          className="-ml-px shrink-0 rounded-l-none"
        />
      </form>
      <fieldset className="flex rounded-control border border-line-strong bg-surface shadow-card">
        <legend className="sr-only">{t("patterns.status")}</legend>
        {statuses.map((status) => {
          const on = filters.status === status;
          const Icon = icons[status];
          return (
            <button
              key={status}
              type="button"
              aria-pressed={on}
              onClick={() => set({ status: on ? null : status })}
              className={clsx(
                "inline-flex h-[30px] items-center gap-1.5 whitespace-nowrap border-line-strong px-2.5 first-of-type:rounded-l-[6px] last-of-type:rounded-r-[6px] [&+button]:border-l",
                on ? "bg-accent-soft font-medium text-accent" : "text-ink-2 hover:bg-hover hover:text-ink",
              )}
            >
              <Icon size={14} aria-hidden />
              {t(`patterns.status_${status}`)}
            </button>
          );
        })}
      </fieldset>
      <Select
        label={t("logs.level")}
        value={filters.level[0] ?? any}
        onChange={(value) => set({ level: value === any ? [] : [value as LogLevel] })}
        options={[
          { value: any as string, label: t("patterns.any_level") },
          ...levels.map((value) => ({ value: value as string, label: t(`level.${value}`) })),
        ]}
      />
      <Select
        label={t("logs.source")}
        value={filters.from[0] ?? any}
        onChange={(value) => set({ from: value === any ? [] : [value] })}
        options={[
          { value: any, label: t("patterns.any_source") },
          ...sources.map((value) => ({ value, label: value })),
        ]}
        className="max-w-52"
      />
      <RangePicker value={filters} onChange={({ range, start, end }) => set({ range, start, end })} />
      {isFiltered(filters) && (
        <Button variant="ghost" icon={<X size={14} aria-hidden />} onClick={() => set(noFilters)}>
          {t("action.clear_filters")}
        </Button>
      )}
    </search>
  );
}
