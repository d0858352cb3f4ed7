/** How far a zone's clocks are ahead of UTC at a moment, in milliseconds. */
function offset(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).formatToParts(at);
  const part = (name: Intl.DateTimeFormatPartTypes) => Number(parts.find((p) => p.type === name)?.value);
  const wall = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  return wall - Math.floor(at / 1000) * 1000;
}

/** A moment as the zone's clocks show it, for an input of a date and time: "2026-11-24T08:30". */
export function toWallClock(date: Date, zone: string): string {
  return new Date(date.getTime() + offset(date.getTime(), zone)).toISOString().slice(0, 16);
}

/**
 * The moment at which the zone's clocks show it; null when the text is no time.
 * Where clocks go back it is one of the two; where they skip it, one beside the gap.
 */
export function fromWallClock(text: string, zone: string): Date | null {
  const wall = Date.parse(`${text}Z`);
  if (Number.isNaN(wall)) return null;
  const near = wall - offset(wall, zone);
  return new Date(wall - offset(near, zone));
}
