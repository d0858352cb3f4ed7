import { useQuery } from "@tanstack/react-query";
import { Filter, Link2, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import { type ContextScope, contextQuery, type Log, logQuery } from "@/api/logs";
import { useServices } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { Sheet } from "@/ui/dialog";
import { Select } from "@/ui/select";
import { CopyButton, ErrorPanel, Skeleton } from "@/ui/states";
import { Time } from "@/ui/time";
import { Level } from "./level";
import { Highlighted } from "./log-list";
import type { Query, SetQuery } from "./query";

type Props = { id: string; known?: Log; query: Query; set: SetQuery; onClose: () => void };

/** One entry: beside the list where there is room, else over it. */
export function LogDetail({ docked, ...props }: Props & { docked: boolean }) {
  const { t } = useTranslation();
  if (!docked) {
    return (
      <Sheet open onOpenChange={(open) => !open && props.onClose()} title={t("log.title")}>
        <div className="p-5">
          <Entry {...props} />
        </div>
      </Sheet>
    );
  }
  return (
    <aside
      aria-label={t("log.title")}
      className="card sticky top-[68px] flex max-h-[calc(100dvh-84px)] flex-col overflow-hidden"
    >
      <div className="flex h-11 shrink-0 items-center justify-between border-b pr-2 pl-4">
        <h2 className="font-semibold">{t("log.title")}</h2>
        <Button
          size="sm"
          variant="ghost"
          aria-label={t("action.close")}
          icon={<X size={16} aria-hidden />}
          onClick={props.onClose}
        />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div className="min-h-0 overflow-y-auto p-4" tabIndex={0}>
        <Entry {...props} />
      </div>
    </aside>
  );
}

function Entry({ id, known, query, set }: Props) {
  const { t } = useTranslation();
  const { api } = useServices();
  const { data, isError, error, refetch } = useQuery({ ...logQuery(api, id), enabled: !known });
  const log = known ?? data;
  if (isError && !log) {
    return <ErrorPanel compact error={error} title={t("error.log")} onRetry={() => void refetch()} />;
  }
  if (!log) {
    return (
      <div role="status" className="flex flex-col gap-3">
        <span className="sr-only">{t("state.loading")}</span>
        <Skeleton className="h-5 w-48" />
        <Skeleton className="h-20" />
        <Skeleton className="h-32" />
      </div>
    );
  }
  return (
    <div className="flex flex-col gap-5">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <Level level={log.level} className="font-medium" />
        <Time iso={log.created_at} style="full" focusable />
        <span className="flex-1" />
        <CopyButton text={globalThis.location.href} label={t("log.copy_link")} />
      </div>
      <div className="relative rounded-control border bg-sunken">
        <pre className="max-h-72 overflow-auto whitespace-pre-wrap break-words py-2.5 pr-9 pl-3 font-mono text-[12.5px] leading-5">
          <Highlighted text={log.message} spans={log.highlights} />
        </pre>
        <span className="absolute top-1.5 right-1.5">
          <CopyButton text={log.message} label={t("log.copy_message")} />
        </span>
      </div>
      <dl className="flex flex-col">
        <Value
          name={t("logs.source")}
          value={log.source}
          onInclude={query.from.includes(log.source) ? undefined : () => set({ from: [log.source] })}
        />
        {log.pattern_id && (
          <Value
            name={t("logs.pattern")}
            value={log.pattern_id}
            onInclude={query.pattern ? undefined : () => set({ pattern: log.pattern_id })}
          />
        )}
        {log.user_id && (
          <Value
            name={t("log.user")}
            value={log.user_id}
            onInclude={query.user ? undefined : () => set({ user: log.user_id })}
          />
        )}
        {log.session_id && (
          <Value
            name={t("log.session")}
            value={log.session_id}
            onInclude={query.session ? undefined : () => set({ session: log.session_id })}
          />
        )}
        <Value name={t("log.id")} value={log.id} />
      </dl>
      {Object.keys(log.metadata).length > 0 && (
        <section>
          <div className="mb-1 flex items-center justify-between">
            <h3 className="font-semibold">{t("log.metadata")}</h3>
            <CopyButton text={JSON.stringify(log.metadata, null, 2)} label={t("log.copy_metadata")} />
          </div>
          <dl className="flex flex-col">
            {flatten(log.metadata).map(([path, value, scalar]) => {
              const filter = `${path}=${value}`;
              return (
                <Value
                  key={path}
                  name={path}
                  value={value}
                  onInclude={
                    scalar && !query.meta.includes(filter)
                      ? () => set({ meta: [...query.meta, filter] })
                      : undefined
                  }
                />
              );
            })}
          </dl>
        </section>
      )}
      <Context log={log} />
    </div>
  );
}

/** Each leaf of the metadata with its path; lists are shown whole, since the search has no path into them. */
export function flatten(metadata: Record<string, unknown>, prefix = ""): [string, string, boolean][] {
  return Object.entries(metadata).flatMap(([name, value]): [string, string, boolean][] => {
    const path = prefix + name;
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      return flatten(value as Record<string, unknown>, `${path}.`);
    }
    return typeof value === "string"
      ? [[path, value, true]]
      : [[path, JSON.stringify(value), typeof value === "number" || typeof value === "boolean"]];
  });
}

function Value({ name, value, onInclude }: { name: string; value: string; onInclude?: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="group flex min-h-8 items-center gap-2 border-line border-b py-1 last:border-b-0">
      <dt className="w-[112px] shrink-0 break-words text-[12px] text-ink-3">{name}</dt>
      <dd className="min-w-0 flex-1 break-words font-mono text-[12.5px]">{value}</dd>
      <span className="flex shrink-0">
        {onInclude && (
          <button
            type="button"
            aria-label={t("log.include", { name, value })}
            title={t("log.include", { name, value })}
            onClick={onInclude}
            className="inline-flex size-6 items-center justify-center rounded text-ink-3 hover:bg-hover hover:text-ink"
          >
            <Filter size={13} aria-hidden />
          </button>
        )}
        <CopyButton text={value} label={t("log.copy_value", { name })} />
      </span>
    </div>
  );
}

/** What came right before and after, asked for only when it is wanted. */
function Context({ log }: { log: Log }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const [scope, setScope] = useState<ContextScope | null>(null);
  const { data, isError, error, refetch } = useQuery({
    ...contextQuery(api, log.id, scope ?? "source"),
    enabled: scope !== null,
  });
  if (scope === null) {
    return (
      <div>
        <Button onClick={() => setScope("source")}>{t("log.context")}</Button>
      </div>
    );
  }
  const scopes: ContextScope[] = log.session_id ? ["source", "session", "all"] : ["source", "all"];
  return (
    <section>
      <div className="mb-1.5 flex items-center justify-between gap-2">
        <h3 className="font-semibold">{t("log.context")}</h3>
        <Select
          label={t("log.scope")}
          value={scope}
          onChange={setScope}
          options={scopes.map((value) => ({ value, label: t(`log.scope_${value}`) }))}
        />
      </div>
      {isError ? (
        <ErrorPanel compact error={error} onRetry={() => void refetch()} />
      ) : data ? (
        <ol className="flex flex-col font-mono text-[12px] leading-5">
          {[...data.before, data.log, ...data.after].map((one) => (
            <Neighbour key={one.id} log={one} here={one.id === log.id} />
          ))}
        </ol>
      ) : (
        <Skeleton className="h-40" />
      )}
    </section>
  );
}

function Neighbour({ log, here }: { log: Log; here: boolean }): ReactNode {
  const format = useFormat();
  const { search } = useLocation();
  const params = new URLSearchParams(search);
  params.set("log", log.id);
  return (
    <li className={here ? "rounded bg-accent-soft" : undefined}>
      <Link
        to={{ search: params.toString() }}
        aria-current={here ? "true" : undefined}
        className="flex gap-2 rounded px-1 hover:bg-hover"
      >
        <span className="num shrink-0 text-ink-3">{format.dateTime(log.created_at, "time")}</span>
        <Level level={log.level} className="shrink-0 font-sans [&>svg]:size-3" />
        <span className="min-w-0 truncate">{log.message}</span>
        {here && <Link2 size={12} aria-hidden className="ml-auto shrink-0 self-center text-accent" />}
      </Link>
    </li>
  );
}
