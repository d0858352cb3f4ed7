import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import { type Log, logQuery } from "@/api/logs";
import { usePermission, useServices } from "@/app/services";
import { Button } from "@/ui/button";
import { Sheet } from "@/ui/dialog";
import { CopyButton, ErrorPanel, Skeleton } from "@/ui/states";
import { Time } from "@/ui/time";
import { Context } from "./context";
import { FieldRow } from "./field-row";
import { Level } from "./level";
import { Highlighted } from "./log-list";
import { flatten } from "./metadata";
import { carry, levels, type Query, type SetQuery } from "./query";
import { Template, usePatternName } from "./template";

type Props = {
  id: string;
  known?: Log;
  query: Query;
  set: SetQuery;
  columns: string[];
  onColumns: (columns: string[]) => void;
  onClose: () => void;
};

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

function Entry({ id, known, query, set, columns, onColumns }: Props) {
  const { t } = useTranslation();
  const { api } = useServices();
  const mayErase = usePermission("logs.manage");
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
  const metadata = flatten(log.metadata);
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
      {log.pattern_id && <PatternOf id={log.pattern_id} query={query} set={set} />}
      <dl className="flex flex-col">
        <FieldRow
          name={t("logs.level")}
          value={t(`level.${log.level}`)}
          onInclude={query.level.includes(log.level) ? undefined : () => set({ level: [log.level] })}
          onExclude={() =>
            set({
              level: (query.level.length ? query.level : levels).filter((level) => level !== log.level),
            })
          }
        />
        <FieldRow
          name={t("logs.source")}
          value={log.source}
          onInclude={query.from.includes(log.source) ? undefined : () => set({ from: [log.source] })}
          onExclude={() =>
            set({
              from: query.from.filter((one) => one !== log.source),
              not_from: [...query.not_from.filter((one) => one !== log.source), log.source],
            })
          }
        />
        {log.user_id && (
          <FieldRow
            name={t("log.user")}
            value={log.user_id}
            onInclude={query.user ? undefined : () => set({ user: log.user_id })}
          />
        )}
        {log.session_id && (
          <FieldRow
            name={t("log.session")}
            value={log.session_id}
            onInclude={query.session ? undefined : () => set({ session: log.session_id })}
          />
        )}
        <FieldRow name={t("log.id")} value={log.id} />
      </dl>
      {log.user_id && mayErase && (
        <Link
          to={`/admin/logs/erasures?user=${encodeURIComponent(log.user_id)}`}
          className="self-start rounded text-[13px] text-accent hover:underline"
        >
          {t("log.erase_user")}
        </Link>
      )}
      {metadata.length > 0 && (
        <section>
          <div className="mb-1 flex items-center justify-between">
            <h3 className="font-semibold">{t("log.metadata")}</h3>
            <CopyButton text={JSON.stringify(log.metadata, null, 2)} label={t("log.copy_metadata")} />
          </div>
          <dl className="flex flex-col">
            {metadata.map(([path, value, scalar]) => {
              const filter = `${path}=${value}`;
              const without = (list: string[]) => list.filter((one) => one !== filter);
              return (
                <FieldRow
                  key={path}
                  name={path}
                  value={value}
                  onInclude={
                    scalar && !query.meta.includes(filter)
                      ? () => set({ meta: [...query.meta, filter], not_meta: without(query.not_meta) })
                      : undefined
                  }
                  onExclude={
                    scalar && !query.not_meta.includes(filter)
                      ? () => set({ meta: without(query.meta), not_meta: [...query.not_meta, filter] })
                      : undefined
                  }
                  column={columns.includes(path)}
                  onColumn={() =>
                    onColumns(
                      columns.includes(path) ? columns.filter((one) => one !== path) : [...columns, path],
                    )
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

/** What the message has in common with others: a way to them, and to what is known of them. */
function PatternOf({ id, query, set }: { id: string; query: Query; set: SetQuery }) {
  const { t } = useTranslation();
  const name = usePatternName(id);
  const { search } = useLocation();
  const range = carry(search, ["range", "start", "end"]);
  return (
    <section>
      <div className="mb-1 flex items-center justify-between gap-3">
        <h3 className="font-semibold">{t("logs.pattern")}</h3>
        <Link
          to={`/admin/logs/patterns${range ? `${range}&` : "?"}open=${id}`}
          className="rounded text-[13px] text-accent hover:underline"
        >
          {t("log.open_pattern")}
        </Link>
      </div>
      <p className="line-clamp-4 break-words font-mono text-[12.5px] leading-5" title={name}>
        <Template text={name} />
      </p>
      <div className="mt-2 flex flex-wrap gap-2">
        <Button
          size="sm"
          reason={query.pattern === id ? t("log.is_filter") : null}
          onClick={() => set({ pattern: id })}
        >
          {t("log.only_pattern")}
        </Button>
        <Button
          size="sm"
          onClick={() =>
            set({
              pattern: query.pattern === id ? null : query.pattern,
              not_pattern: [...query.not_pattern.filter((one) => one !== id), id],
            })
          }
        >
          {t("log.not_pattern")}
        </Button>
      </div>
    </section>
  );
}
