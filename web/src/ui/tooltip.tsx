import { Tooltip as Base } from "@base-ui/react/tooltip";
import { cloneElement, type ReactElement, useId } from "react";

/**
 * A hint on hover and focus. The text is also the trigger's description, so
 * that a screen reader gets it without the popup.
 */
export function Tooltip({
  text,
  children,
}: {
  text: string;
  children: ReactElement<Record<string, unknown>>;
}) {
  const id = useId();
  return (
    <Base.Root>
      <Base.Trigger render={cloneElement(children, { "aria-describedby": id })} />
      <span id={id} hidden>
        {text}
      </span>
      <Base.Portal>
        <Base.Positioner sideOffset={6} className="z-50">
          <Base.Popup className="popup max-w-80 px-2.5 py-1.5 text-[13px] text-ink leading-[18px]">
            {text}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

export const TooltipProvider = Base.Provider;
