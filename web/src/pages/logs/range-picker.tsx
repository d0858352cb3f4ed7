import { Popover } from "@base-ui/react/popover";
import clsx from "clsx";
import { CalendarClock, Check, ChevronsUpDown } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNow } from "@/app/now";
import { useFormat } from "@/format/use-format";
import { fromWallClock, toWallClock } from "@/format/zoned";
import { Button } from "@/ui/button";
import { Field, Input } from "@/ui/field";
import { boundsOf, type Range, ranges } from "./query";

/** A range that ends now, by its name, or two moments by the clocks of the reader's zone. */
export function RangePicker({ value, onChange }: { value: Range; onChange: (range: Range) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [open, setOpen] = useState(false);
  const fixed = value.start && value.end;
  const text = fixed
    ? `${format.dateTime(value.start!.toISOString())} – ${format.dateTime(value.end!.toISOString())}`
    : t(`logs.range_${value.range}`);
  const choose = (range: Range) => {
    setOpen(false);
    onChange(range);
  };
  return (
    <Popover.Root open={open} onOpenChange={(next) => setOpen(next)}>
      <Popover.Trigger
        aria-label={`${t("logs.range")}: ${text}`}
        className="inline-flex h-8 min-w-0 max-w-80 items-center gap-1.5 rounded-control border border-line-strong bg-surface px-2.5 shadow-card hover:bg-hover data-popup-open:bg-hover"
      >
        <CalendarClock size={14} aria-hidden className="shrink-0 text-ink-3" />
        <span className="num min-w-0 flex-1 truncate text-left">{text}</span>
        <ChevronsUpDown size={13} aria-hidden className="shrink-0 text-ink-3" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={4} align="end" className="z-50 outline-none">
          <Popover.Popup
            aria-label={t("logs.range")}
            className="popup grid max-w-[calc(100vw-24px)] sm:grid-cols-[180px_280px]"
          >
            <ul className="max-sm:border-b p-1 sm:border-r">
              {ranges.map((name) => {
                const on = !fixed && value.range === name;
                return (
                  <li key={name}>
                    <button
                      type="button"
                      aria-pressed={on}
                      onClick={() => choose({ range: name, start: null, end: null })}
                      className={clsx(
                        "flex h-8 w-full items-center justify-between gap-2 rounded-[6px] px-2 text-left hover:bg-hover",
                        on && "font-medium",
                      )}
                    >
                      {t(`logs.range_${name}`)}
                      {on && <Check size={15} aria-hidden className="text-accent" />}
                    </button>
                  </li>
                );
              })}
            </ul>
            <Fixed value={value} onChoose={(start, end) => choose({ ...value, start, end })} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Fixed({ value, onChoose }: { value: Range; onChoose: (start: Date, end: Date) => void }) {
  const { t } = useTranslation();
  const { zone } = useFormat();
  const now = useNow();
  const bounds = boundsOf(value, now);
  const [from, setFrom] = useState(() => toWallClock(new Date(bounds.start_date), zone));
  const [to, setTo] = useState(() => toWallClock(value.end ?? new Date(now), zone));
  const [error, setError] = useState<string>();
  return (
    <form
      noValidate
      className="flex flex-col gap-3 p-3.5"
      onSubmit={(event) => {
        event.preventDefault();
        // A portal's events bubble to the search form it was opened from.
        event.stopPropagation();
        const start = fromWallClock(from, zone);
        const end = fromWallClock(to, zone);
        if (!start || !end) setError(t("logs.range_missing"));
        else if (start >= end) setError(t("logs.range_order"));
        else onChoose(start, end);
      }}
    >
      <Field label={t("logs.range_start")}>
        {(props) => (
          <Input
            {...props}
            type="datetime-local"
            value={from}
            onChange={(event) => setFrom(event.target.value)}
          />
        )}
      </Field>
      <Field label={t("logs.range_end")} error={error}>
        {(props) => (
          <Input
            {...props}
            type="datetime-local"
            value={to}
            onChange={(event) => setTo(event.target.value)}
          />
        )}
      </Field>
      <div className="flex items-center justify-between gap-3">
        <span className="min-w-0 truncate text-[12px] text-ink-3">{zone.replaceAll("_", " ")}</span>
        <Button size="sm" variant="primary" type="submit">
          {t("logs.range_apply")}
        </Button>
      </div>
    </form>
  );
}
