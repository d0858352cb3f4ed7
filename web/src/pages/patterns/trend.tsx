import type { LogPatternTrend } from "@/api/patterns";

/** How often over time: bars of equal width, the tallest as tall as the picture. */
export function Trend({
  trend,
  width,
  height,
  className = "fill-accent",
}: {
  trend: LogPatternTrend;
  width: number;
  height: number;
  className?: string;
}) {
  const { counts } = trend;
  const most = Math.max(1, ...counts);
  const step = width / Math.max(1, counts.length);
  return (
    <svg
      aria-hidden
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      className="block h-full w-full"
    >
      <line x1={0} x2={width} y1={height - 0.5} y2={height - 0.5} className="stroke-line-strong" />
      {counts.map((count, i) => {
        // One entry beside thousands must still be seen.
        const tall = count === 0 ? 0 : Math.max(2, (count / most) * height);
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
            key={i}
            x={i * step}
            y={height - tall}
            width={Math.max(0.5, step - Math.min(1, step / 4))}
            height={tall}
            className={className}
          />
        );
      })}
    </svg>
  );
}
