import { Preference } from "./local";

const fallback = "America/Sao_Paulo";

/**
 * The reader's zone. A browser that says plain UTC is most often one that hides
 * its zone or a machine nobody sits at, so it gets the default.
 */
export function browserZone(): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return !zone || zone === "UTC" || zone === "Etc/UTC" || zone === "Etc/Unknown" ? fallback : zone;
}

/** "" follows the browser. */
export const zone = new Preference<string>("guarda.zone", "", (text): text is string => {
  try {
    return text === "" || Boolean(new Intl.DateTimeFormat("en", { timeZone: text }));
  } catch {
    return false;
  }
});

export const zoneInUse = (): string => zone.get() || browserZone();
