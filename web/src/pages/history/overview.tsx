import { Layers, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import { ApiError } from "@/api/problem";
import type { ExecutionDetail } from "@/api/types";
import { useFormat } from "@/format/use-format";
import { CopyButton, ErrorPanel } from "@/ui/states";
import { Time } from "@/ui/time";
import { PhaseTimeline } from "./phase-timeline";
import { Duration, Trigger } from "./run-table";
import { Workers } from "./workers";

/** The code of the warning that a run copied everything although it was asked not to. */
const fullInstead = "full_instead";

export function Overview({ run }: { run: ExecutionDetail }) {
  const { t } = useTranslation();
  const format = useFormat();
  const instead = run.warnings.find((warning) => warning.code === fullInstead);
  const warnings = run.warnings.filter((warning) => warning !== instead);
  // Of what was kept from earlier backups nothing was stored: that is no compression.
  const ratio = run.raw_bytes && run.size_bytes && !run.chunks_reused ? run.raw_bytes / run.size_bytes : null;
  const or = <T,>(value: T | null | undefined, show: (value: T) => ReactNode): ReactNode =>
    value === null || value === undefined ? "—" : show(value);
  return (
    <div className="flex flex-col gap-6">
      {run.error && !run.canceled && (
        <ErrorPanel
          title={t("detail.failed")}
          error={
            new ApiError({
              status: 200,
              code: run.error.code,
              detail: run.error.message,
              hint: run.error.hint,
            })
          }
        />
      )}
      {run.canceled && <p className="rounded-card border bg-sunken p-3">{t("detail.canceled")}</p>}
      {instead && <FullInstead run={run} why={instead.message} />}
      {warnings.length > 0 && <Warnings warnings={warnings} />}
      <Facts
        facts={[
          [t("detail.started"), <Time key="t" iso={run.started_at} style="full" focusable />],
          [t("column.duration"), <Duration key="d" run={run} />],
          [t("column.trigger"), <Trigger key="g" run={run} />],
          [t("detail.stored"), or(run.size_bytes, format.bytes)],
          [
            t("detail.raw"),
            or(run.raw_bytes, (bytes) => (
              <>
                {format.bytes(bytes)}
                {ratio !== null && ratio >= 1.05 && (
                  <span className="ml-1.5 text-ink-3">
                    {t("detail.ratio", {
                      ratio: new Intl.NumberFormat(format.language, { maximumFractionDigits: 1 }).format(
                        ratio,
                      ),
                    })}
                  </span>
                )}
              </>
            )),
          ],
          [t("column.rows"), or(run.rows, format.number)],
          [t("detail.table_count"), or(run.tables, format.number)],
          [
            t("detail.chunks"),
            or(run.chunks, (chunks) => (
              <>
                {format.number(chunks)}
                {Boolean(run.chunks_reused) && (
                  <span className="ml-1.5 text-ink-3">
                    {t("detail.reused", {
                      count: run.chunks_reused!,
                      formatted: format.number(run.chunks_reused!),
                    })}
                  </span>
                )}
              </>
            )),
          ],
          [t("column.type"), <TypeFact key="y" run={run} />],
          ...(run.relay_count + run.resume_count + run.workers.length > 0
            ? ([
                [
                  t("detail.handed_on"),
                  <Explained key="h" value={run.relay_count} text={t("detail.handed_on_text")} />,
                ],
                [
                  t("detail.taken_up"),
                  <Explained key="u" value={run.resume_count} text={t("detail.taken_up_text")} />,
                ],
                [t("detail.workers"), format.number(run.workers.length)],
              ] satisfies [string, ReactNode][])
            : []),
        ]}
      />
      <section>
        <h3 className="mb-2.5 font-semibold">{t("detail.phases")}</h3>
        <PhaseTimeline run={run} />
      </section>
      {run.workers.length > 0 && <Workers workers={run.workers} />}
      <section>
        <h3 className="mb-2.5 font-semibold">{t("detail.options")}</h3>
        <Facts
          facts={[
            [t("detail.compression"), run.compression],
            [t("detail.encryption"), run.encrypted ? t("detail.encrypted") : t("detail.not_encrypted")],
            [t("detail.jobs"), format.number(run.options.jobs)],
            [t("detail.only"), <Patterns key="o" list={run.options.tables} none={t("detail.all_tables")} />],
            [t("detail.exclude"), <Patterns key="e" list={run.options.exclude} none={t("detail.nothing")} />],
            [t("detail.server"), or(run.server_version, (version) => `PostgreSQL ${version}`)],
            [t("detail.snapshot"), or(run.snapshot_at, (iso) => <Time iso={iso} style="full" focusable />)],
          ]}
        />
        <dl className="mt-4 flex flex-col gap-3">
          <Copyable label={t("detail.id")} text={run.id} copy={t("detail.copy_id")} />
          {run.store_path && (
            <Copyable label={t("detail.path")} text={run.store_path} copy={t("detail.copy_path")} />
          )}
        </dl>
      </section>
    </div>
  );
}

function TypeFact({ run }: { run: ExecutionDetail }) {
  const { t } = useTranslation();
  return (
    <>
      {t(`type.${run.type}`)}
      {run.requested_type !== run.type && (
        <span className="block text-[12px] text-ink-3">
          {t("detail.requested", { type: t(`type.${run.requested_type}`) })}
        </span>
      )}
      {run.base_id && <Base id={run.base_id} />}
    </>
  );
}

/** The way to the backup that this one goes on from; filters and tab stay. */
function Base({ id }: { id: string }) {
  const { t } = useTranslation();
  const { search } = useLocation();
  const params = new URLSearchParams(search);
  params.set("run", id);
  return (
    <Link
      to={{ search: params.toString() }}
      className="block w-fit rounded font-normal text-[12px] text-accent hover:underline"
    >
      {t("detail.base")} <code className="font-mono">{id.slice(0, 8)}</code>
    </Link>
  );
}

function Explained({ value, text }: { value: number; text: string }) {
  const format = useFormat();
  return (
    <>
      {format.number(value)}
      {value > 0 && <span className="block font-normal text-[12px] text-ink-3">{text}</span>}
    </>
  );
}

function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <dl className="grid grid-cols-2 gap-x-5 gap-y-3.5 sm:grid-cols-3">
      {facts.map(([label, value]) => (
        <div key={label} className="min-w-0">
          <dt className="text-[12px] text-ink-3">{label}</dt>
          <dd className="num break-words font-medium [&_time]:whitespace-normal">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Patterns({ list, none }: { list: string[]; none: string }) {
  if (list.length === 0) return <span className="font-normal text-ink-2">{none}</span>;
  return <code className="break-all font-mono text-[12px]">{list.join(", ")}</code>;
}

function Copyable({ label, text, copy }: { label: string; text: string; copy: string }) {
  return (
    <div>
      <dt className="text-[12px] text-ink-3">{label}</dt>
      <dd className="flex items-center gap-1">
        <code className="break-all font-mono text-[12px]">{text}</code>
        <CopyButton text={text} label={copy} />
      </dd>
    </div>
  );
}

/** The run was asked to copy what changed, and copied everything: nothing is missing, and the reader should know why. */
function FullInstead({ run, why }: { run: ExecutionDetail; why: string }) {
  const { t } = useTranslation();
  return (
    <section className="rounded-card border border-run/30 bg-run-soft p-3.5">
      <h3 className="flex items-center gap-2 font-semibold">
        <Layers size={16} aria-hidden className="shrink-0 text-run" />
        {t("detail.full_instead", { type: t(`type.${run.requested_type}`).toLocaleLowerCase() })}
      </h3>
      <p className="mt-1 break-words pl-6">{why}</p>
    </section>
  );
}

/** Warnings that are seen at once; many more would hide the rest of the page. */
const atOnce = 3;

function Warnings({ warnings }: { warnings: ExecutionDetail["warnings"] }) {
  const { t } = useTranslation();
  const { number } = useFormat();
  const [first, rest] = [warnings.slice(0, atOnce), warnings.slice(atOnce)];
  return (
    <section className="rounded-card border border-warn-fill/45 bg-warn-soft p-3.5">
      <h3 className="flex items-center gap-2 font-semibold">
        <TriangleAlert size={16} aria-hidden className="text-warn" />
        {t("detail.warnings", { count: warnings.length })}
      </h3>
      <WarningList warnings={first} />
      {rest.length > 0 && (
        <details className="mt-1.5 pl-6">
          <summary className="w-fit cursor-pointer rounded font-medium text-[13px]">
            {t("detail.more_warnings", { count: rest.length, formatted: number(rest.length) })}
          </summary>
          <div className="-ml-6">
            <WarningList warnings={rest} />
          </div>
        </details>
      )}
    </section>
  );
}

function WarningList({ warnings }: { warnings: ExecutionDetail["warnings"] }) {
  return (
    <ul className="mt-1.5 flex flex-col gap-1 pl-6">
      {warnings.map((warning) => (
        <li key={`${warning.code} ${warning.object ?? ""} ${warning.message}`} className="break-words">
          {warning.object && <code className="mr-1.5 font-mono text-[12px]">{warning.object}</code>}
          {warning.message}
        </li>
      ))}
    </ul>
  );
}
