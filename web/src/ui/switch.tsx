import clsx from "clsx";
import { Tooltip } from "./tooltip";

/** On or off, at once. */
export function Switch({
  on,
  onChange,
  label,
  busy = false,
  reason,
}: {
  on: boolean;
  onChange: (on: boolean) => void;
  label: string;
  busy?: boolean;
  /** Keeps it as it is and says why. */
  reason?: string | null;
}) {
  const off = Boolean(reason) || busy;
  const control = (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      aria-label={label}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      onClick={() => !off && onChange(!on)}
      className={clsx(
        "relative inline-flex h-6 w-10 shrink-0 items-center rounded-full border transition-colors duration-150",
        on ? "border-accent bg-accent" : "border-control bg-sunken",
        off && "cursor-not-allowed opacity-60",
      )}
    >
      <span
        aria-hidden
        className={clsx(
          "size-4 rounded-full transition-transform duration-150",
          on ? "translate-x-[19px] bg-on-accent" : "translate-x-[3px] bg-control",
        )}
      />
    </button>
  );
  return reason ? <Tooltip text={reason}>{control}</Tooltip> : control;
}
