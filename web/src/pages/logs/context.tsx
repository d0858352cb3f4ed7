import { useQuery } from "@tanstack/react-query";
import { Link2 } from "lucide-react";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import { type ContextScope, contextQuery, type Log } from "@/api/logs";
import { useServices } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { Select } from "@/ui/select";
import { ErrorPanel, Skeleton } from "@/ui/states";
import { Level } from "./level";

const all: ContextScope[] = ["source", "session", "all"];

/** What came right before and after, asked for only when it is wanted. */
export function Context({ log }: { log: Log }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const [chosen, setScope] = useQueryState(
    "context",
    parseAsStringLiteral(all).withOptions({ history: "replace" }),
  );
  // An entry without a session has no neighbours in it.
  const scope = chosen === "session" && !log.session_id ? "source" : chosen;
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
  const scopes = log.session_id ? all : all.filter((one) => one !== "session");
  return (
    <section>
      <div className="mb-1.5 flex items-center justify-between gap-2">
        <h3 className="font-semibold">{t("log.context")}</h3>
        <Select
          label={t("log.scope")}
          value={scope}
          onChange={(next) => setScope(next)}
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

function Neighbour({ log, here }: { log: Log; here: boolean }) {
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
