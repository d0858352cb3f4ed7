import { useQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { ZoomOut } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { histogramQuery, type LogHistogram, type LogQuery } from "@/api/logs";
import { useServices } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { ErrorPanel, Skeleton } from "@/ui/states";
import { Bar, useWidth } from "./bars";
import { levels } from "./query";

const height = 72;

export function Histogram({
  query,
  onZoom,
  onWiden,
}: {
  query: LogQuery;
  onZoom: (start: Date, end: Date) => void;
  /** Undefined when there is nothing to go back to. */
  onWiden?: () => void;
}) {
  const { t } = useTranslation();
  const { api } = useServices();
  const { data, error, isError, refetch } = useQuery({
    ...histogramQuery(api, query),
    placeholderData: (previous) => previous,
  });
  return (
    <section className="card px-3 pt-2.5 pb-2" aria-label={t("logs.histogram")}>
      {isError && !data ? (
        <ErrorPanel compact error={error} title={t("error.histogram")} onRetry={() => void refetch()} />
      ) : data ? (
        <Zoomable data={data} onZoom={onZoom} onWiden={onWiden} />
      ) : (
        <Skeleton className="h-[118px]" />
      )}
    </section>
  );
}

function Zoomable({
  data,
  onZoom,
  onWiden,
}: {
  data: LogHistogram;
  onZoom: (start: Date, end: Date) => void;
  onWiden?: () => void;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const [box, width] = useWidth();
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const { buckets } = data;
  const most = Math.max(1, ...buckets.map((bucket) => bucket.total));
  const step = width / Math.max(1, buckets.length);
  const start = Date.parse(buckets[0]?.start ?? data.start);
  const end = start + buckets.length * data.interval_seconds * 1000;
  const timeAt = (x: number) => new Date(start + (Math.min(width, Math.max(0, x)) / width) * (end - start));
  const at = (event: React.PointerEvent) => event.clientX - (box.current?.getBoundingClientRect().left ?? 0);
  const shown = hover === null ? undefined : buckets[hover];
  return (
    <>
      <div className="mb-1.5 flex min-h-7 items-center justify-between gap-3 text-[13px]">
        <p className="num min-w-0 truncate">
          {shown ? (
            <>
              <span className="font-medium">{format.dateTime(shown.start, "full")}</span>{" "}
              <span className="text-ink-2">{sentence(shown.levels, t, format.number)}</span>
            </>
          ) : (
            <>
              <span className="font-medium">
                {data.exact ? "" : "≥ "}
                {t("logs.entries", { count: data.total, formatted: format.number(data.total) })}
              </span>{" "}
              <span className="text-ink-3">
                {t("logs.bucket", { width: format.duration(data.interval_seconds) })}
                {!data.exact && ` · ${t("logs.inexact")}`}
              </span>
            </>
          )}
        </p>
        {onWiden && (
          <Button size="sm" variant="ghost" icon={<ZoomOut size={14} aria-hidden />} onClick={onWiden}>
            {t("logs.zoom_out")}
          </Button>
        )}
      </div>
      <div ref={box} className="relative touch-pan-y">
        <span
          aria-hidden
          className="num pointer-events-none absolute -top-0.5 right-0 rounded bg-surface/80 px-1 text-[11px] text-ink-3 leading-4"
        >
          {format.number(most)}
        </span>
        <svg
          aria-hidden
          width={width}
          height={height}
          className="block cursor-crosshair select-none"
          onPointerDown={(event) => {
            if (event.button !== 0) return;
            event.currentTarget.setPointerCapture(event.pointerId);
            setDrag({ from: at(event), to: at(event) });
          }}
          onPointerMove={(event) => {
            const x = at(event);
            setHover(Math.min(buckets.length - 1, Math.max(0, Math.floor(x / step))));
            if (drag) setDrag({ ...drag, to: x });
          }}
          onPointerLeave={() => setHover(null)}
          onPointerUp={() => {
            setDrag(null);
            if (!drag || Math.abs(drag.to - drag.from) < 4) return;
            onZoom(timeAt(Math.min(drag.from, drag.to)), timeAt(Math.max(drag.from, drag.to)));
          }}
          onPointerCancel={() => setDrag(null)}
        >
          {buckets.map((bucket, i) => (
            <Bar
              key={bucket.start}
              bucket={bucket}
              x={i * step}
              width={step}
              height={height}
              most={most}
              lit={hover === i}
            />
          ))}
          {drag && (
            <rect
              x={Math.min(drag.from, drag.to)}
              width={Math.abs(drag.to - drag.from)}
              y={0}
              height={height}
              className="fill-accent opacity-20"
            />
          )}
          <line x1={0} x2={width} y1={height - 0.5} y2={height - 0.5} className="stroke-line-strong" />
        </svg>
      </div>
      <div aria-hidden className="num mt-1 flex justify-between text-[12px] text-ink-3">
        {[0, 0.5, 1].map((share) => (
          <span key={share} className={clsx(share === 0.5 && "max-sm:hidden")}>
            {format.dateTime(new Date(start + share * (end - start)).toISOString())}
          </span>
        ))}
      </div>
      <p className="sr-only">
        {t("logs.histogram_summary", {
          total: format.number(data.total),
          start: format.dateTime(data.start, "full"),
          end: format.dateTime(data.end, "full"),
        })}
      </p>
    </>
  );
}

function sentence(
  counts: Record<string, number>,
  t: (key: string) => string,
  number: (n: number) => string,
): string {
  return (
    levels
      .filter((level) => counts[level])
      .map((level) => `${number(counts[level] ?? 0)} ${t(`level.${level}`)}`)
      .join(" · ") || t("logs.no_entries")
  );
}
