import i18next, { type i18n as I18n } from "i18next";
import { initReactI18next } from "react-i18next";
import ptBR from "./pt-BR.json";

export const languages = ["pt-BR", "en"] as const;
export type Language = (typeof languages)[number];
const key = "guarda.language";

/** Chosen before, else what the browser asks for, else Portuguese. */
export function preferredLanguage(): Language {
  try {
    const stored = localStorage.getItem(key);
    if (languages.includes(stored as Language)) return stored as Language;
  } catch {
    // Storage is switched off.
  }
  return globalThis.navigator?.language?.toLowerCase().startsWith("en") ? "en" : "pt-BR";
}

export const i18n: I18n = i18next.createInstance();

/** Portuguese comes with the program; English is fetched when it is wanted. */
export async function startI18n(language: Language = preferredLanguage()): Promise<I18n> {
  if (!i18n.isInitialized) {
    await i18n.use(initReactI18next).init({
      lng: "pt-BR",
      fallbackLng: "pt-BR",
      resources: { "pt-BR": { translation: ptBR } },
      interpolation: { escapeValue: false },
      // Keys are flat: "run.title" is one name.
      keySeparator: false,
      nsSeparator: false,
      returnNull: false,
      partialBundledLanguages: true,
    });
  }
  await setLanguage(language, { remember: false });
  return i18n;
}

export async function setLanguage(language: Language, { remember = true } = {}): Promise<void> {
  if (language === "en" && !i18n.hasResourceBundle("en", "translation")) {
    const { default: en } = await import("./en.json");
    i18n.addResourceBundle("en", "translation", en);
  }
  await i18n.changeLanguage(language);
  document.documentElement.lang = language;
  if (!remember) return;
  try {
    localStorage.setItem(key, language);
  } catch {
    // Kept for this page only.
  }
}
