const units = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Bytes in powers of 1,000, with three digits: "1,25 GB". */
export function formatBytes(bytes: number, language: string): string {
  if (!Number.isFinite(bytes) || bytes < 0) return "—";
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
  return `${number}\u00a0${units[unit]}`;
}

export function formatRate(bytesPerSecond: number, language: string): string {
  return `${formatBytes(bytesPerSecond, language)}/s`;
}

export function formatNumber(value: number, language: string): string {
  return new Intl.NumberFormat(language).format(value);
}

export function formatPercent(share: number, language: string): string {
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(
    Math.min(1, Math.max(0, share)),
  );
}

/** A part of a whole that may be small: "0,04 %", "12 %"; what is hardly there is not nothing. */
export function formatShare(share: number, language: string): string {
  const percent = Math.min(1, Math.max(0, share));
  const least = 0.0001;
  const text = (value: number) =>
    new Intl.NumberFormat(language, { style: "percent", maximumSignificantDigits: 2 }).format(value);
  return percent > 0 && percent < least ? `< ${text(least)}` : text(percent);
}
