import clsx from "clsx";
import { Radio, Search, X } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { inputClass } from "@/ui/field";
import { Select } from "@/ui/select";
import { isFiltered, modes, type Query, ranges, type SetQuery } from "./query";
import { SavedSearches } from "./saved";

const custom = "custom";

export function QueryBar({ query, set }: { query: Query; set: SetQuery }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [text, setText] = useState(query.q);
  // The address may change without typing: a saved search, the browser's back.
  useEffect(() => setText(query.q), [query.q]);
  const fixed = query.start && query.end;
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
        <Select
          label={t("logs.range")}
          value={fixed ? custom : query.range}
          onChange={(value) => {
            if (value !== custom) void set({ range: value as Query["range"], start: null, end: null });
          }}
          options={[
            ...(fixed
              ? [
                  {
                    value: custom,
                    label: `${format.dateTime(query.start!.toISOString())} – ${format.dateTime(query.end!.toISOString())}`,
                  },
                ]
              : []),
            ...ranges.map((value) => ({ value: value as string, label: t(`logs.range_${value}`) })),
          ]}
          className="max-w-64"
        />
        <Button
          aria-pressed={query.live}
          icon={<Radio size={15} aria-hidden className={query.live ? "text-bad" : undefined} />}
          onClick={() => set({ live: !query.live })}
          className={query.live ? "border-accent bg-accent-soft" : undefined}
        >
          {t("logs.live")}
        </Button>
        <SavedSearches query={query} set={set} />
      </form>
      <Chips query={query} set={set} />
    </search>
  );
}

/** The filters that no other control shows, each with its way out. */
function Chips({ query, set }: { query: Query; set: SetQuery }) {
  const { t } = useTranslation();
  if (!isFiltered(query)) return null;
  const chips: { key: string; text: string; clear: Partial<Query> }[] = [
    ...query.level.map((one) => ({
      key: `level ${one}`,
      text: `${t("logs.level")}: ${t(`level.${one}`)}`,
      clear: { level: query.level.filter((other) => other !== one) },
    })),
    ...query.from.map((one) => ({
      key: `from ${one}`,
      text: `${t("logs.source")}: ${one}`,
      clear: { from: query.from.filter((other) => other !== one) },
    })),
    ...query.meta.map((one) => ({
      key: `meta ${one}`,
      text: one,
      clear: { meta: query.meta.filter((other) => other !== one) },
    })),
    ...(["pattern", "user", "session"] as const).flatMap((name) =>
      query[name]
        ? [
            {
              key: name,
              text: `${t(name === "pattern" ? "logs.pattern" : `log.${name}`)}: ${query[name]}`,
              clear: { [name]: null },
            },
          ]
        : [],
    ),
  ];
  return (
    <div className="flex flex-wrap items-center gap-1.5">
      {chips.map((chip) => (
        <button
          key={chip.key}
          type="button"
          aria-label={t("logs.remove_filter", { filter: chip.text })}
          onClick={() => set(chip.clear)}
          className="inline-flex h-7 max-w-full items-center gap-1.5 rounded-full border border-accent/40 bg-accent-soft px-2.5 text-[13px] hover:border-accent"
        >
          <span className="truncate">{chip.text}</span>
          <X size={13} aria-hidden className="shrink-0 text-ink-3" />
        </button>
      ))}
      <Button
        size="sm"
        variant="ghost"
        onClick={() =>
          set({ q: "", level: [], from: [], meta: [], pattern: null, user: null, session: null })
        }
      >
        {t("action.clear_filters")}
      </Button>
    </div>
  );
}
