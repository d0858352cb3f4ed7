import { useEffect, useRef, useState } from "react";
import type { LogHistogram } from "@/api/logs";
import { looks } from "./level";
import { levels } from "./query";

/** How many entries over time, by level; a picture to look at. */
export function Bars({ data, height }: { data: LogHistogram; height: number }) {
  const [box, width] = useWidth();
  const { buckets } = data;
  const most = Math.max(1, ...buckets.map((bucket) => bucket.total));
  const step = width / Math.max(1, buckets.length);
  return (
    <div ref={box} className="min-w-0 overflow-hidden">
      <svg aria-hidden width={width} height={height} className="block">
        {buckets.map((bucket, i) => (
          <Bar key={bucket.start} bucket={bucket} x={i * step} width={step} height={height} most={most} />
        ))}
        <line x1={0} x2={width} y1={height - 0.5} y2={height - 0.5} className="stroke-line-strong" />
      </svg>
    </div>
  );
}

export function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(Math.max(100, element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [box, width] as const;
}

/** One bar; what is worst lies at the bottom, where bars are easiest to compare. */
export function Bar({
  bucket,
  x,
  width,
  height,
  most,
  lit = false,
}: {
  bucket: LogHistogram["buckets"][number];
  x: number;
  width: number;
  height: number;
  most: number;
  lit?: boolean;
}) {
  let y = height;
  return (
    <g opacity={lit ? 0.75 : 1}>
      {levels.map((level) => {
        const count = bucket.levels[level] ?? 0;
        if (count === 0) return null;
        // One error among a million entries must still be seen.
        const tall = Math.max(1.5, (count / most) * (height - 4));
        y -= tall;
        return (
          <rect
            key={level}
            x={x}
            y={y}
            width={Math.max(1, width - (width > 4 ? 1 : 0))}
            height={tall}
            fill={looks[level].fill}
          />
        );
      })}
    </g>
  );
}
