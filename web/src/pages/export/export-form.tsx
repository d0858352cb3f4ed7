import clsx from "clsx";
import { Braces, Database, FileText, type LucideIcon, Rows3, Sheet, Table2 } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import { toast } from "sonner";
import { type ExportFormat, type LogExportRequest, useExportLogs } from "@/api/exports";
import { useNow } from "@/app/now";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { CheckField } from "@/ui/field";
import { ErrorPanel } from "@/ui/states";
import { Chips } from "../logs/chips";
import { carry, isFiltered, type Query, type SetQuery, toApi } from "../logs/query";
import { RangePicker } from "../logs/range-picker";
import {
  type Choices,
  columns,
  formats,
  isCompressed,
  maskRules,
  requestOf,
  type SetChoices,
  useExportChoices,
} from "./choices";
import { Estimate, useEstimate } from "./estimate";

/** What goes into the file, how many that is, and how the file is to be. */
export function ExportForm({ query, set }: { query: Query; set: SetQuery }) {
  const { t } = useTranslation();
  const { number, zone } = useFormat();
  const { search } = useLocation();
  const [choices, choose] = useExportChoices();
  const asked = toApi(query, useNow());
  const estimate = useEstimate(asked);
  const make = useExportLogs();
  // What was sent and not answered is sent again as it was, with its key: it cannot make a second file.
  const [sent, setSent] = useState<{ intent: string; request: LogExportRequest; key: string }>();
  const total = estimate.data?.total;

  const submit = () => {
    const request = requestOf(query, choices, Date.now(), zone);
    const intent = JSON.stringify({ ...request, date_range: [query.range, query.start, query.end] });
    const next = sent?.intent === intent ? sent : { intent, request, key: crypto.randomUUID() };
    setSent(next);
    make.mutate(
      { request: next.request, key: next.key },
      {
        onSuccess: (made) => {
          setSent(undefined);
          toast.success(t(made.download_url ? "export.made" : "export.begun"), {
            description: made.file_name,
          });
        },
      },
    );
  };

  return (
    <form
      className="card"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Part title={t("export.what")}>
        <div className="flex flex-wrap items-center gap-2">
          <RangePicker value={query} onChange={({ range, start, end }) => set({ range, start, end })} />
          <Link
            to={`/admin/logs${carry(search)}`}
            className="rounded px-1 text-[13px] text-accent hover:underline"
          >
            {t("export.change_query")}
          </Link>
        </div>
        {isFiltered(query) ? (
          <Chips query={query} set={set} />
        ) : (
          <p className="text-[13px] text-ink-2">{t("export.no_filters")}</p>
        )}
        <Estimate asked={asked} choices={choices} estimate={estimate} />
      </Part>
      <Part title={t("export.format")}>
        <Formats value={choices.format} onChange={(format) => choose({ format })} />
        <CheckField
          label={t("export.gzip")}
          help={isCompressed(choices.format) ? t("export.gzip_not") : undefined}
          checked={choices.gzip && !isCompressed(choices.format)}
          disabled={isCompressed(choices.format)}
          onChange={(event) => choose({ gzip: event.target.checked })}
        />
      </Part>
      <details open={choices.cols.length + choices.mask.length > 0 || undefined} className="border-t">
        <summary className="cursor-pointer rounded px-4 py-3">
          <span className="font-semibold">{t("export.more")}</span>{" "}
          <span className="text-[13px] text-ink-2">{summaryOf(choices, t)}</span>
        </summary>
        <Columns choices={choices} choose={choose} />
        <Masking choices={choices} choose={choose} />
      </details>
      <div className="flex flex-col gap-2.5 border-t p-4">
        {make.isError && <ErrorPanel compact error={make.error} title={t("error.export")} />}
        <Button
          type="submit"
          variant="primary"
          className="w-full"
          busy={make.isPending}
          reason={total === 0 ? t("export.nothing") : null}
        >
          {make.isPending
            ? t("export.making")
            : total
              ? t("export.submit_count", { count: total, formatted: number(total) })
              : t("export.submit")}
        </Button>
        <p className="text-center text-[12px] text-ink-3">{t("export.kept")}</p>
      </div>
    </form>
  );
}

/** What is chosen, for those who do not look. */
function summaryOf({ cols, mask }: Choices, t: (key: string, values?: { count: number }) => string): string {
  return [
    cols.length ? t("export.columns_chosen", { count: cols.length }) : t("export.columns_all"),
    mask.length ? t("export.mask_chosen", { count: mask.length }) : t("export.mask_none"),
  ].join(" · ");
}

function Part({ title, children, aside }: { title: string; children: ReactNode; aside?: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="flex flex-col gap-3 border-t p-4 first:border-t-0">
      <div className="flex items-center justify-between gap-3">
        <h2 id={id} className="font-semibold">
          {title}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

const icons: Record<ExportFormat, LucideIcon> = {
  csv: Table2,
  json: Braces,
  ndjson: Rows3,
  pdf: FileText,
  xlsx: Sheet,
  parquet: Database,
};
export const FormatIcon = ({ format, size = 16 }: { format: string; size?: number }) => {
  const Icon = icons[format as ExportFormat] ?? FileText;
  return <Icon size={size} aria-hidden className="shrink-0 text-ink-3" />;
};

function Formats({ value, onChange }: { value: ExportFormat; onChange: (format: ExportFormat) => void }) {
  const { t } = useTranslation();
  const name = useId();
  return (
    <fieldset className="grid grid-cols-2 gap-2 sm:grid-cols-3">
      <legend className="sr-only">{t("export.format")}</legend>
      {formats.map((format) => (
        <label
          key={format}
          className={clsx(
            "relative flex min-h-[62px] cursor-pointer flex-col rounded-control border px-3 py-2 has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-2",
            value === format
              ? "border-accent bg-accent-soft"
              : "border-line-strong bg-surface hover:bg-hover",
          )}
        >
          <input
            type="radio"
            name={name}
            value={format}
            checked={value === format}
            onChange={() => onChange(format)}
            className="absolute size-px opacity-0"
          />
          <span className="flex items-center gap-1.5 font-medium">
            <FormatIcon format={format} size={15} />
            {t(`export.format_${format}`)}
          </span>
          <span className="text-[12px] text-ink-2 leading-4">{t(`export.format_${format}_text`)}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Columns({ choices, choose }: { choices: Choices; choose: SetChoices }) {
  const { t } = useTranslation();
  const on = (column: (typeof columns)[number]) => choices.cols.length === 0 || choices.cols.includes(column);
  const chosen = columns.filter(on);
  return (
    <Part
      title={t("export.columns")}
      aside={
        choices.cols.length > 0 && (
          <Button size="sm" variant="ghost" onClick={() => choose({ cols: null })}>
            {t("export.all_columns")}
          </Button>
        )
      }
    >
      <fieldset className="grid grid-cols-2 gap-x-4 gap-y-1.5 sm:grid-cols-3">
        <legend className="sr-only">{t("export.columns")}</legend>
        {columns.map((column) => (
          <CheckField
            key={column}
            label={t(`export.column_${column}`)}
            checked={on(column)}
            onChange={() => {
              const next = columns.filter((one) => (one === column ? !on(one) : on(one)));
              // A file needs a column: the last one stays.
              if (next.length > 0) void choose({ cols: next.length === columns.length ? null : next });
            }}
          />
        ))}
      </fieldset>
      {chosen.length === 1 && <p className="text-[13px] text-ink-3">{t("export.one_column")}</p>}
    </Part>
  );
}

function Masking({ choices, choose }: { choices: Choices; choose: SetChoices }) {
  const { t } = useTranslation();
  return (
    <Part title={t("export.mask")}>
      <p className="-mt-2 text-[13px] text-ink-2">{t("export.mask_text")}</p>
      <fieldset className="grid grid-cols-2 gap-x-4 gap-y-1.5 sm:grid-cols-3">
        <legend className="sr-only">{t("export.mask")}</legend>
        {maskRules.map((rule) => (
          <CheckField
            key={rule}
            label={t(`mask.${rule}`)}
            checked={choices.mask.includes(rule)}
            onChange={(event) =>
              choose({
                mask: event.target.checked
                  ? [...choices.mask, rule]
                  : choices.mask.filter((one) => one !== rule),
              })
            }
          />
        ))}
      </fieldset>
    </Part>
  );
}
