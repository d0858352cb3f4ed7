import { Select as Base } from "@base-ui/react/select";
import clsx from "clsx";
import { Check, ChevronsUpDown } from "lucide-react";
import type { ReactNode } from "react";

export type Option<T extends string> = { value: T; label: string; detail?: string; icon?: ReactNode };

export function Select<T extends string>({
  value,
  onChange,
  options,
  label,
  id,
  prefix,
  className,
}: {
  value: T;
  onChange: (value: T) => void;
  options: Option<T>[];
  /** Read out; visible only when `prefix` is set. */
  label: string;
  id?: string;
  prefix?: string;
  className?: string;
}) {
  const chosen = options.find((option) => option.value === value);
  return (
    <Base.Root items={options} value={value} onValueChange={(next) => next !== null && onChange(next as T)}>
      <Base.Trigger
        id={id}
        aria-label={`${label}: ${chosen?.label ?? ""}`}
        className={clsx(
          "inline-flex h-8 min-w-0 items-center gap-1.5 rounded-control border border-line-strong bg-surface px-2.5 shadow-card hover:bg-hover data-popup-open:bg-hover",
          className,
        )}
      >
        {chosen?.icon}
        {prefix && <span className="text-ink-3">{prefix}</span>}
        <span className="min-w-0 flex-1 truncate text-left">{chosen?.label}</span>
        <ChevronsUpDown size={13} aria-hidden className="shrink-0 text-ink-3" />
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner
          sideOffset={4}
          alignItemWithTrigger={false}
          align="start"
          className="z-50 outline-none"
        >
          <Base.Popup className="popup max-h-[min(360px,var(--available-height))] min-w-[max(var(--anchor-width),180px)] overflow-y-auto p-1">
            <Base.List>
              {options.map((option) => (
                <Base.Item
                  key={option.value}
                  value={option.value}
                  className="flex min-h-8 cursor-default items-center gap-2 rounded-[6px] px-2 py-1 outline-none data-highlighted:bg-hover"
                >
                  {option.icon}
                  <span className="min-w-0 flex-1">
                    <Base.ItemText>{option.label}</Base.ItemText>
                    {option.detail && <span className="block text-[12px] text-ink-3">{option.detail}</span>}
                  </span>
                  <Base.ItemIndicator className="text-accent">
                    <Check size={15} aria-hidden />
                  </Base.ItemIndicator>
                </Base.Item>
              ))}
            </Base.List>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
