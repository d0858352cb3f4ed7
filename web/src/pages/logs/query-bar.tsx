import clsx from "clsx";
import { Download, Radio, Search } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import { Button, buttonClass } from "@/ui/button";
import { inputClass } from "@/ui/field";
import { Select } from "@/ui/select";
import { Chips } from "./chips";
import { carry, modes, type Query, type SetQuery } from "./query";
import { RangePicker } from "./range-picker";
import { SavedSearches } from "./saved";

export function QueryBar({ query, set }: { query: Query; set: SetQuery }) {
  const { t } = useTranslation();
  const { search } = useLocation();
  const [text, setText] = useState(query.q);
  // The address may change without typing: a saved search, the browser's back.
  useEffect(() => setText(query.q), [query.q]);
  return (
    <search aria-label={t("logs.query")} className="flex flex-col gap-2">
      <form
        className="flex flex-wrap items-center gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          void set({ q: text.trim() });
        }}
      >
        <div className="flex min-w-0 flex-[1_1_280px]">
          <input
            type="search"
            data-slash=""
            aria-label={t("logs.search_label")}
            placeholder={t(`logs.placeholder_${query.mode}`)}
            value={text}
            maxLength={1000}
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
        </div>
        <Select
          label={t("logs.mode")}
          value={query.mode}
          onChange={(mode) => set({ mode })}
          options={modes.map((value) => ({
            value,
            label: t(`logs.mode_${value}`),
            detail: t(`logs.mode_${value}_text`),
          }))}
        />
        <RangePicker value={query} onChange={({ range, start, end }) => set({ range, start, end })} />
        <Button
          aria-pressed={query.live}
          icon={<Radio size={15} aria-hidden className={query.live ? "text-bad" : undefined} />}
          onClick={() => set({ live: !query.live })}
          className={query.live ? "border-accent bg-accent-soft" : undefined}
        >
          {t("logs.live")}
        </Button>
        <SavedSearches query={query} set={set} />
        <Link to={`/admin/logs/export${carry(search)}`} className={buttonClass({ children: true })}>
          <Download size={15} aria-hidden />
          {t("logs.export")}
        </Link>
      </form>
      <Chips query={query} set={set} />
    </search>
  );
}
