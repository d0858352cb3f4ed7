import { Dialog as Base } from "@base-ui/react/dialog";
import clsx from "clsx";
import { X } from "lucide-react";
import { type ReactNode, type RefObject, useRef } from "react";
import { useTranslation } from "react-i18next";

type Props = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  description?: ReactNode;
  children: ReactNode;
  /** Gets the focus when it opens; the first field when left out. */
  initialFocus?: RefObject<HTMLElement | null>;
};

/** Comes last, so that the first field gets the focus when a dialog opens. */
function Close() {
  const { t } = useTranslation();
  return (
    <Base.Close
      aria-label={t("action.close")}
      className="absolute top-2.5 right-3 inline-flex size-8 items-center justify-center rounded-control text-ink-3 hover:bg-hover hover:text-ink"
    >
      <X size={17} aria-hidden />
    </Base.Close>
  );
}

export function Dialog({ open, onOpenChange, title, description, children, initialFocus }: Props) {
  return (
    <Base.Root open={open} onOpenChange={(next) => onOpenChange(next)}>
      <Base.Portal>
        <Base.Backdrop className="scrim" />
        <Base.Viewport className="fixed inset-0 z-40 flex items-start justify-center overflow-y-auto sm:pt-[12vh]">
          <Base.Popup
            initialFocus={initialFocus}
            // At the foot of a phone by its margin: what is aligned to an end cannot be scrolled to its start.
            className="popup relative mt-auto w-full rounded-b-none sm:mt-0 sm:mb-8 sm:w-[480px] sm:rounded-b-card"
          >
            <Base.Title className="pt-5 pr-14 pl-5 font-semibold text-base leading-6">{title}</Base.Title>
            {description && (
              <Base.Description className="px-5 pt-1 text-ink-2">{description}</Base.Description>
            )}
            <div className="px-5 pt-4 pb-5">{children}</div>
            <Close />
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  );
}

/** A panel from the side: the detail of a row, or the navigation on a phone. */
export function Sheet({
  open,
  onOpenChange,
  title,
  side = "right",
  hideTitle = false,
  children,
  initialFocus,
}: Omit<Props, "description"> & { side?: "left" | "right"; hideTitle?: boolean }) {
  const popup = useRef<HTMLDivElement>(null);
  return (
    <Base.Root open={open} onOpenChange={(next) => onOpenChange(next)}>
      <Base.Portal>
        <Base.Backdrop className="scrim" />
        <Base.Popup
          ref={popup}
          // What opened is read, not filled in: the panel itself has the focus, and no frame is drawn around all of it.
          initialFocus={initialFocus ?? (hideTitle ? undefined : popup)}
          className={clsx(
            "sheet fixed inset-y-0 z-40 flex flex-col bg-surface shadow-raised outline-none",
            side === "right"
              ? "sheet-right right-0 w-full border-l sm:w-[min(680px,92vw)]"
              : "sheet-left left-0 w-[272px] border-r",
          )}
        >
          {hideTitle ? (
            <Base.Title className="sr-only">{title}</Base.Title>
          ) : (
            <Base.Title className="flex min-h-13 items-center border-b py-2 pr-14 pl-5 font-semibold text-base">
              {title}
            </Base.Title>
          )}
          <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={hideTitle ? undefined : 0}>
            {children}
          </div>
          {!hideTitle && <Close />}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
