import clsx from "clsx";
import { Check, CircleX, Copy, RotateCw } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";
import { ApiError, NETWORK, NOT_API } from "@/api/problem";
import { Button } from "./button";

export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={clsx("skeleton block", className)} />;
}

export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-3 px-6 py-14 text-center">
      <span className="inline-flex size-11 items-center justify-center rounded-full bg-sunken text-ink-3">
        {icon}
      </span>
      <div>
        <p className="font-semibold">{title}</p>
        {children && <div className="mt-1 max-w-[52ch] text-balance text-ink-2">{children}</div>}
      </div>
      {action}
    </div>
  );
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  return (
    <button
      type="button"
      aria-label={copied ? t("action.copied") : label}
      title={label}
      onClick={async () => {
        try {
          await navigator.clipboard.writeText(text);
          setCopied(true);
          setTimeout(() => setCopied(false), 1_500);
        } catch {
          // Browsers allow it on secure pages only; the text is there to be selected.
          toast.error(t("error.copy"), { description: text.slice(0, 300) });
        }
      }}
      className="inline-flex size-6 items-center justify-center rounded text-ink-3 hover:bg-hover hover:text-ink"
    >
      {copied ? <Check size={13} aria-hidden className="text-ok" /> : <Copy size={13} aria-hidden />}
    </button>
  );
}

/** Says what failed, what to do, and which request it was. */
export function ErrorPanel({
  error,
  title,
  onRetry,
  compact = false,
}: {
  error: unknown;
  title?: string;
  onRetry?: () => void;
  compact?: boolean;
}) {
  const { t } = useTranslation();
  const { message, hint, requestId } = describe(error, t);
  return (
    <div
      role="alert"
      className={clsx(
        "flex gap-3 rounded-card border border-bad/35 bg-bad-soft text-ink",
        compact ? "p-3" : "p-4",
      )}
    >
      <CircleX size={18} aria-hidden className="mt-px shrink-0 text-bad" />
      <div className="flex min-w-0 flex-1 flex-wrap items-start gap-x-3 gap-y-2.5">
        <div className="min-w-0 flex-1 basis-60">
          {title && <p className="font-semibold">{title}</p>}
          <p className={clsx("break-words", !title && "font-medium")}>{message}</p>
          {hint && <p className="mt-1 break-words text-ink-2">{hint}</p>}
          {requestId && (
            <p className="mt-1.5 flex flex-wrap items-center gap-1 text-[13px] text-ink-2">
              {t("error.request_id")}
              <code className="break-all font-mono text-[12px]">{requestId}</code>
              <CopyButton text={requestId} label={t("error.copy_request_id")} />
            </p>
          )}
        </div>
        {onRetry && (
          <Button size="sm" icon={<RotateCw size={14} aria-hidden />} onClick={onRetry}>
            {t("action.retry")}
          </Button>
        )}
      </div>
    </div>
  );
}

export function describe(error: unknown, t: (key: string) => string) {
  if (!(error instanceof ApiError))
    return { message: t("error.unexpected"), hint: t("error.unexpected_hint") };
  if (error.code === NETWORK) return { message: t("error.network"), hint: t("error.network_hint") };
  if (error.code === NOT_API) {
    return { message: t("error.not_api"), hint: t("error.not_api_hint"), requestId: error.requestId };
  }
  return { message: error.message, hint: error.hint, requestId: error.requestId };
}
