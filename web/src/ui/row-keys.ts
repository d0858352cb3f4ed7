import { useEffect, useEffectEvent } from "react";
import { isCovered, isTyping } from "@/shell/shortcuts";

/** j and k move through the rows; Enter opens the focused one, since each row's link has the focus. */
export function useRowKeys({ count, focus }: { count: number; focus: (index: number) => void }) {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isCovered()) return;
    const step = event.key === "j" ? 1 : event.key === "k" ? -1 : 0;
    if (step === 0 || count === 0) return;
    const row = document.activeElement?.closest<HTMLElement>("[data-index]");
    const at = row ? Number(row.dataset.index) : step === 1 ? -1 : count;
    event.preventDefault();
    focus(Math.min(count - 1, Math.max(0, at + step)));
  });
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}
