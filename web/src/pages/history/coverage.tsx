import { useInfiniteQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { CircleCheck, FileQuestion, ListChecks, ShieldAlert } from "lucide-react";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/problem";
import { ledgerQuery } from "@/api/queries";
import {
  type ExecutionDetail,
  isActive,
  type LedgerItem,
  type LedgerStatus,
  type LedgerSummary,
} from "@/api/types";
import { useServices } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { CopyButton, EmptyState, ErrorPanel, Skeleton } from "@/ui/states";
import { type Tone, toneFill, toneText } from "@/ui/status";
import { CoverageGroups } from "./coverage-groups";

/** In the order in which a reader should worry. */
const statuses: LedgerStatus[] = ["unreadable", "unsupported", "excluded", "managed", "dumped"];
export const coverageTone: Record<LedgerStatus, Tone> = {
  dumped: "ok",
  excluded: "idle",
  managed: "run",
  unreadable: "bad",
  unsupported: "warn",
};
/** What the items can be narrowed to; an item that is in the backup is only counted, never listed. */
const filters = ["unreadable", "unsupported", "excluded", "managed", "lost"] as const;
type Filter = (typeof filters)[number];

/** What of the database is in the backup, and what is not and why. */
export function Coverage({ run }: { run: ExecutionDetail }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const [filter, setFilter] = useQueryState("coverage", parseAsStringLiteral(filters));
  const complete = run.status === "completed";
  const query = useInfiniteQuery({
    ...ledgerQuery(api, run.id, filter === "lost" ? { lost: true } : filter ? { status: [filter] } : {}),
    enabled: complete,
    // Another part of the same ledger takes the place of this one; nothing jumps meanwhile.
    placeholderData: (before, asked) => (asked?.queryKey[2] === run.id ? before : undefined),
  });
  if (!complete) {
    return (
      <EmptyState icon={<ListChecks size={20} aria-hidden />} title={t("coverage.none")}>
        {isActive(run) ? t("coverage.not_yet") : t("coverage.failed")}
      </EmptyState>
    );
  }
  if (query.isError) {
    if (query.error instanceof ApiError && query.error.status === 404) {
      return (
        <EmptyState icon={<FileQuestion size={20} aria-hidden />} title={t("coverage.none")}>
          {t("coverage.before")}
        </EmptyState>
      );
    }
    return (
      <ErrorPanel error={query.error} title={t("error.coverage")} onRetry={() => void query.refetch()} />
    );
  }
  if (!query.data) {
    return (
      <div role="status" className="flex flex-col gap-3">
        <span className="sr-only">{t("state.loading")}</span>
        <Skeleton className="h-10" />
        <Skeleton className="h-3" />
        {[0, 1, 2, 3].map((i) => (
          <Skeleton key={i} className="h-12" />
        ))}
      </div>
    );
  }
  const first = query.data.pages[0]!;
  const items = query.data.pages.flatMap((page) => page.items);
  return (
    <div className="flex flex-col gap-6">
      <Headline summary={first.summary} />
      <Shares
        summary={first.summary}
        chosen={filter}
        onChoose={(next) => setFilter(next, { history: "replace" })}
      />
      <Statements items={items} />
      <div className={query.isPlaceholderData ? "opacity-60 transition-opacity" : undefined}>
        <Items items={items} filter={filter} truncated={first.truncated} />
      </div>
      {query.hasNextPage && (
        <div className="-mt-3 flex justify-center">
          <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("action.more")}
          </Button>
        </div>
      )}
      <CoverageGroups groups={first.groups} />
    </div>
  );
}

function Headline({ summary }: { summary: LedgerSummary }) {
  const { t } = useTranslation();
  const format = useFormat();
  const missing = summary.unreadable + summary.unsupported;
  const Icon = missing === 0 ? CircleCheck : ShieldAlert;
  const platform = summary.preset === "none" ? null : t(`preset.${summary.preset}`);
  return (
    <div className="flex gap-3">
      <Icon
        size={20}
        aria-hidden
        className={clsx("mt-0.5 shrink-0", missing === 0 ? "text-ok" : "text-bad")}
      />
      <div>
        <p className="font-semibold">
          {missing === 0
            ? t("coverage.whole", { count: summary.objects, formatted: format.number(summary.objects) })
            : t("coverage.gaps", { count: missing, formatted: format.number(missing) })}
        </p>
        <p className="text-[13px] text-ink-2">
          {t("coverage.counted")}
          {platform && ` ${t("coverage.preset", { platform })}`}
          {summary.preset !== summary.preset_detected &&
            ` ${t("coverage.preset_overridden", { detected: t(`preset.${summary.preset_detected}`) })}`}
          {summary.strict && ` ${t("coverage.strict")}`}
        </p>
        {summary.lost > 0 && (
          <p className="mt-1 font-medium text-bad">
            {t("coverage.lost_text", { count: summary.lost, formatted: format.number(summary.lost) })}
          </p>
        )}
      </div>
    </div>
  );
}

/** One bar of all objects, and a button per part that narrows the list. */
function Shares({
  summary,
  chosen,
  onChoose,
}: {
  summary: LedgerSummary;
  chosen: Filter | null;
  onChoose: (filter: Filter | null) => void;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const total = Math.max(1, summary.objects);
  return (
    <section>
      <h3 className="sr-only">{t("coverage.shares")}</h3>
      <div aria-hidden className="flex h-2.5 gap-px overflow-hidden rounded-full bg-sunken">
        {[...statuses].reverse().map(
          (status) =>
            summary[status] > 0 && (
              <div
                key={status}
                className={toneFill[coverageTone[status]]}
                // A single unreadable table among thousands must still be seen.
                style={{ width: `${(summary[status] / total) * 100}%`, minWidth: 4 }}
              />
            ),
        )}
      </div>
      <div className="mt-3 flex flex-wrap gap-2">
        <span className="inline-flex h-8 items-center gap-1.5 px-1">
          <Dot tone="ok" />
          {t("coverage.status_dumped")}{" "}
          <span className="num font-medium">{format.number(summary.dumped)}</span>
        </span>
        {filters.map((name) => {
          const count = summary[name];
          if (count === 0 && chosen !== name) return null;
          const on = chosen === name;
          return (
            <button
              key={name}
              type="button"
              aria-pressed={on}
              onClick={() => onChoose(on ? null : name)}
              className={clsx(
                "inline-flex h-8 items-center gap-1.5 rounded-full border px-3",
                on
                  ? "border-accent bg-accent-soft font-medium text-accent"
                  : "border-line-strong bg-surface hover:bg-hover",
              )}
            >
              <Dot tone={name === "lost" ? "bad" : coverageTone[name]} />
              {t(`coverage.status_${name}`)} <span className="num font-medium">{format.number(count)}</span>
            </button>
          );
        })}
      </div>
    </section>
  );
}

function Dot({ tone }: { tone: Tone }) {
  return <span aria-hidden className={clsx("size-2.5 shrink-0 rounded-full", toneFill[tone])} />;
}

/** The statements that would let the next backup read what this one could not. */
function Statements({ items }: { items: LedgerItem[] }) {
  const { t } = useTranslation();
  const grants = [...new Set(items.flatMap((item) => item.grants ?? []))];
  if (grants.length === 0) return null;
  const script = grants.map((grant) => `${grant.replace(/;$/, "")};`).join("\n");
  return (
    <section className="rounded-card border bg-sunken">
      <div className="flex items-center justify-between gap-3 border-b py-1.5 pr-2 pl-3.5">
        <h3 className="font-medium text-[13px]">{t("coverage.fix")}</h3>
        <CopyButton text={script} label={t("coverage.copy_fix")} />
      </div>
      <pre className="max-h-44 overflow-auto whitespace-pre-wrap break-words p-3.5 font-mono text-[12.5px] leading-5">
        {script}
      </pre>
    </section>
  );
}

function Items({
  items,
  filter,
  truncated,
}: {
  items: LedgerItem[];
  filter: Filter | null;
  truncated: boolean;
}) {
  const { t } = useTranslation();
  if (items.length === 0) {
    return <p className="text-ink-2">{filter ? t("coverage.no_match") : t("coverage.nothing_left_out")}</p>;
  }
  return (
    <section>
      <h3 className="mb-1 font-semibold">{t("coverage.items")}</h3>
      {truncated && <p className="mb-1 text-[13px] text-ink-2">{t("coverage.truncated")}</p>}
      <ul className="divide-y divide-line">
        {items.map((item) => (
          <Item key={`${item.status} ${item.kind} ${item.schema} ${item.name}`} item={item} />
        ))}
      </ul>
    </section>
  );
}

function Item({ item }: { item: LedgerItem }) {
  const { t } = useTranslation();
  const format = useFormat();
  const tone = coverageTone[item.status];
  return (
    <li className="flex gap-3 py-2.5">
      <span className="mt-1.5">
        <Dot tone={tone} />
      </span>
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="text-[13px] text-ink-3">{item.kind_label}</span>
          <span className="min-w-0 break-words font-medium">{item.name || item.schema}</span>
          {item.objects > 1 && (
            <span className="num text-[13px] text-ink-3">
              {t("coverage.stands_for", { count: item.objects, formatted: format.number(item.objects) })}
            </span>
          )}
        </p>
        <p className="break-words text-[13px] text-ink-2">
          <span className={clsx("font-medium", toneText[tone])}>{t(`coverage.status_${item.status}`)}</span>
          {item.lost && <span className="font-medium text-bad"> · {t("coverage.status_lost")}</span>}
          {item.detail && ` · ${item.detail}`}
          {item.privilege && ` · ${t("coverage.lacks", { privilege: item.privilege })}`}
          {item.carried && ` · ${t("coverage.carried")}`}
        </p>
      </div>
    </li>
  );
}
