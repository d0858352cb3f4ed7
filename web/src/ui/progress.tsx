import clsx from "clsx";

/** A bar with its value for screen readers; `value` 0 to 1, null while nobody knows. */
export function ProgressBar({ value, label, text }: { value: number | null; label: string; text: string }) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value === null ? undefined : Math.round(value * 100)}
      aria-valuetext={text}
      className="h-2 overflow-hidden rounded-full bg-run-soft"
    >
      <div
        className={clsx(
          "stripes h-full rounded-full bg-run-fill",
          value !== null && "transition-[width] duration-700",
        )}
        style={{ width: value === null ? "100%" : `${Math.max(1.5, value * 100)}%` }}
      />
    </div>
  );
}
