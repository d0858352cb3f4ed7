import clsx from "clsx";
import type { ComponentProps, ReactNode } from "react";
import { Tooltip } from "./tooltip";

export type ButtonProps = Omit<ComponentProps<"button">, "disabled"> & {
  variant?: "primary" | "secondary" | "ghost" | "danger";
  size?: "sm" | "md";
  icon?: ReactNode;
  /** Switches the button off and says why, to the mouse, the keyboard and the screen reader. */
  reason?: string | null;
  busy?: boolean;
};

const variants = {
  primary: "bg-accent text-on-accent hover:bg-accent-hover shadow-card",
  secondary: "bg-surface text-ink border border-line-strong hover:bg-hover shadow-card",
  ghost: "text-ink-2 hover:bg-hover hover:text-ink",
  danger: "bg-bad text-on-accent hover:opacity-90 shadow-card",
};

export function Button({
  reason,
  busy,
  onClick,
  icon,
  variant,
  size,
  className,
  children,
  ...props
}: ButtonProps) {
  const off = Boolean(reason) || busy;
  const button = (
    <button
      type="button"
      {...props}
      // aria-disabled, not disabled: the reason must stay reachable by keyboard.
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      onClick={(event) => {
        if (off) event.preventDefault();
        else onClick?.(event);
      }}
      className={buttonClass({ variant, size, className, children }, off)}
    >
      {icon}
      {children}
    </button>
  );
  return reason ? <Tooltip text={reason}>{button}</Tooltip> : button;
}

export function buttonClass(
  {
    variant = "secondary",
    size = "md",
    className,
    children,
  }: Pick<ButtonProps, "variant" | "size" | "className" | "children">,
  off = false,
) {
  return clsx(
    "inline-flex select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-control font-medium transition-colors duration-100",
    size === "sm" ? "h-7 text-[13px]" : "h-8",
    children ? (size === "sm" ? "px-2.5" : "px-3") : size === "sm" ? "w-7" : "w-8",
    off ? "cursor-not-allowed border border-line bg-sunken text-ink-3" : variants[variant],
    className,
  );
}
