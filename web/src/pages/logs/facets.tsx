import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { facetsQuery, type LogLevel, type LogQuery } from "@/api/logs";
import { useServices } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { ErrorPanel, Skeleton } from "@/ui/states";
import { Level } from "./level";
import { levels, type Query, type SetQuery } from "./query";
import { Template } from "./template";

/** The most frequent values of each field; a click narrows the search to it, another one takes it back. */
export function Facets({ query, api: asked, set }: { query: Query; api: LogQuery; set: SetQuery }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const { data, isError, error, refetch } = useQuery({
    ...facetsQuery(api, asked),
    placeholderData: (previous) => previous,
  });
  if (isError && !data) {
    return <ErrorPanel compact error={error} title={t("error.facets")} onRetry={() => void refetch()} />;
  }
  if (!data) {
    return (
      <div className="flex flex-col gap-2">
        {Array.from({ length: 8 }, (_, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: places without content
          <Skeleton key={i} className="h-6" />
        ))}
      </div>
    );
  }
  const toggle = <T extends string>(list: T[], value: T) =>
    list.includes(value) ? list.filter((one) => one !== value) : [...list, value];
  const byLevel = new Map(data.levels.map((facet) => [facet.value, facet.count]));
  return (
    <div className="flex flex-col gap-5">
      <Group title={t("logs.level")}>
        {levels.map((level) => (
          <Value
            key={level}
            label={<Level level={level} />}
            count={byLevel.get(level) ?? 0}
            of={data.total}
            on={query.level.includes(level)}
            onToggle={() => set({ level: toggle<LogLevel>(query.level, level) })}
          />
        ))}
      </Group>
      <Group title={t("logs.source")}>
        {data.sources.map((facet) => (
          <Value
            key={facet.value}
            label={<span className="truncate">{facet.value}</span>}
            count={facet.count}
            of={data.total}
            on={query.from.includes(facet.value)}
            onToggle={() => set({ from: toggle(query.from, facet.value) })}
          />
        ))}
      </Group>
      {data.patterns.some((facet) => facet.value) && (
        <Group title={t("logs.pattern")}>
          {data.patterns
            .filter((facet) => facet.value)
            .map((facet) => (
              <Value
                key={facet.value}
                label={
                  <span className="truncate font-mono text-[12px]" title={facet.label}>
                    <Template text={facet.label ?? facet.value} tight />
                  </span>
                }
                count={facet.count}
                of={data.total}
                on={query.pattern === facet.value}
                onToggle={() => set({ pattern: query.pattern === facet.value ? null : facet.value })}
              />
            ))}
        </Group>
      )}
      {!data.exact && <p className="text-[12px] text-ink-3">{t("logs.inexact")}</p>}
    </div>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h2 className="mb-1 font-medium text-[12px] text-ink-3">{title}</h2>
      <ul>{children}</ul>
    </section>
  );
}

function Value({
  label,
  count,
  of,
  on,
  onToggle,
}: {
  label: ReactNode;
  count: number;
  of: number;
  on: boolean;
  onToggle: () => void;
}) {
  const format = useFormat();
  return (
    <li>
      <button
        type="button"
        aria-pressed={on}
        onClick={onToggle}
        className={clsx(
          "relative flex h-7 w-full min-w-0 items-center justify-between gap-2 overflow-hidden rounded-[6px] px-2 text-left text-[13px]",
          on ? "bg-accent-soft font-medium" : "hover:bg-hover",
        )}
      >
        <span
          aria-hidden
          className="absolute inset-y-0 left-0 border-accent border-b-2 opacity-45"
          style={{ width: `${of > 0 ? (count / of) * 100 : 0}%` }}
        />
        {label}
        <span className={clsx("num shrink-0", count === 0 ? "text-ink-3" : "text-ink-2")}>
          {format.number(count)}
        </span>
      </button>
    </li>
  );
}
