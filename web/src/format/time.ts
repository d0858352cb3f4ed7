/** Seconds as "2 h 5 min", "3 min 20 s", "8,4 s", "120 ms"; units are the same in both languages. */
export function formatDuration(seconds: number, language: string): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "—";
  const n = (value: number, digits = 0) =>
    new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
  if (seconds > 0 && seconds < 0.9995) return `${n(Math.max(1, Math.round(seconds * 1000)))}\u00a0ms`;
  if (seconds < 9.95) return `${n(seconds, 1)}\u00a0s`;
  const whole = Math.round(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3_600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${n(value)}\u00a0${unit}`)
    .join(" ");
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "há 3 horas", "em 5 minutos"; "agora" within half a minute. */
export function formatRelative(iso: string, now: number, language: string): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  // Rounded towards now: 119 minutes are one hour, as a clock would say.
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return Math.abs(seconds) < 30 ? format.format(0, "second") : format.format(Math.trunc(seconds), "second");
}

export type DateStyle = "full" | "short" | "time" | "log";

/** A moment in a zone: "23 de nov., 21:04", with the year when it is another one. */
export function formatDateTime(
  iso: string,
  {
    language,
    zone,
    now,
    style = "short",
  }: { language: string; zone: string; now: number; style?: DateStyle },
): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "—";
  if (style === "full") {
    return new Intl.DateTimeFormat(language, {
      dateStyle: "medium",
      timeStyle: "medium",
      timeZone: zone,
    }).format(date);
  }
  if (style === "time") {
    return new Intl.DateTimeFormat(language, { timeStyle: "medium", timeZone: zone }).format(date);
  }
  if (style === "log") {
    return new Intl.DateTimeFormat(language, {
      day: "2-digit",
      month: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      fractionalSecondDigits: 3,
      hour12: false,
      timeZone: zone,
    })
      .format(date)
      .replace(",", "");
  }
  const year = (d: Date) => new Intl.DateTimeFormat("en", { year: "numeric", timeZone: zone }).format(d);
  return new Intl.DateTimeFormat(language, {
    day: "numeric",
    month: "short",
    year: year(date) === year(new Date(now)) ? undefined : "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZone: zone,
  }).format(date);
}

/** For tooltips: "2026-11-24 00:38:15 UTC". */
export function formatUtc(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? "—" : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
