import { Preference } from "./local";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

/** public/theme.js reads the same key before the first paint. */
export const theme = new Preference<Theme>("guarda.theme", "system", (t): t is Theme =>
  themes.includes(t as Theme),
);

const prefersDark = () => globalThis.matchMedia?.("(prefers-color-scheme: dark)");

export function isDark(choice: Theme): boolean {
  return choice === "dark" || (choice === "system" && (prefersDark()?.matches ?? false));
}

/** Keeps the page's class in step with the choice and with the system; returns how to stop. */
export function followTheme(): () => void {
  const apply = () => document.documentElement.classList.toggle("dark", isDark(theme.get()));
  apply();
  const media = prefersDark();
  media?.addEventListener("change", apply);
  const stop = theme.subscribe(apply);
  return () => {
    media?.removeEventListener("change", apply);
    stop();
  };
}
