import { useEffect, useEffectEvent } from "react";
import { useNavigate } from "react-router";
import { pages } from "./pages";

/** Where `g` and a letter lead. */
const goKeys = Object.fromEntries(pages.map(({ keys, path }) => [keys.slice("g ".length), path]));

export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName))
  );
}

/** A dialog, menu or list has the keyboard for itself. */
export function isCovered(): boolean {
  return document.querySelector('[role="dialog"], [role="menu"], [role="listbox"]') !== null;
}

/** Keys that work on every page. Lists add their own (ui/row-keys.ts). */
export function useShellKeys({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }) {
  const navigate = useNavigate();
  const onKey = useEffectEvent((event: KeyboardEvent, state: { pending: boolean }) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      onPalette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isCovered()) return;
    const path = state.pending ? goKeys[event.key] : undefined;
    state.pending = event.key === "g" && !state.pending;
    if (path) {
      event.preventDefault();
      navigate(path);
    } else if (event.key === "?") {
      event.preventDefault();
      onHelp();
    } else if (event.key === "/") {
      const target = document.querySelector<HTMLElement>("[data-slash]");
      if (!target) return;
      event.preventDefault();
      target.focus();
    }
  });
  useEffect(() => {
    const state = { pending: false };
    const listener = (event: KeyboardEvent) => onKey(event, state);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);
}
