import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { usePreference } from "@/prefs/local";
import { zoneInUse, zone as zonePreference } from "@/prefs/zone";
import { formatBytes, formatNumber, formatPercent, formatRate, formatShare } from "./number";
import { type DateStyle, formatDateTime, formatDuration, formatRelative } from "./time";

/** Every formatter, bound to the reader's language and zone. */
export function useFormat() {
  const { i18n } = useTranslation();
  usePreference(zonePreference);
  const zone = zoneInUse();
  const language = i18n.language;
  return useMemo(
    () => ({
      language,
      zone,
      bytes: (n: number) => formatBytes(n, language),
      rate: (n: number) => formatRate(n, language),
      number: (n: number) => formatNumber(n, language),
      percent: (n: number) => formatPercent(n, language),
      share: (n: number) => formatShare(n, language),
      duration: (s: number) => formatDuration(s, language),
      relative: (iso: string, now = Date.now()) => formatRelative(iso, now, language),
      dateTime: (iso: string, style?: DateStyle) =>
        formatDateTime(iso, { language, zone, now: Date.now(), style }),
    }),
    [language, zone],
  );
}
