/** How often, in the ways that most schedules have; anything else is written in cron. */
export type Often = "hourly" | "daily" | "weekly" | "monthly" | "cron";
export const oftens: Often[] = ["hourly", "daily", "weekly", "monthly", "cron"];

/** `time` is "HH:MM", `minute` of an hour, `weekday` 0 is Sunday, `day` of a month. */
export type When = { often: Often; time: string; minute: string; weekday: string; day: string; cron: string };

export const nightly: When = {
  often: "daily",
  time: "02:00",
  minute: "0",
  weekday: "0",
  day: "1",
  cron: "0 2 * * *",
};

const two = (n: number) => String(n).padStart(2, "0");

export function toCron(when: When): string {
  const [hour = 0, minute = 0] = when.time.split(":").map(Number);
  switch (when.often) {
    case "hourly":
      return `${Number(when.minute)} * * * *`;
    case "daily":
      return `${minute} ${hour} * * *`;
    case "weekly":
      return `${minute} ${hour} * * ${when.weekday}`;
    case "monthly":
      return `${minute} ${hour} ${Number(when.day)} * *`;
    default:
      return when.cron.trim().replaceAll(/\s+/g, " ");
  }
}

/** The way that says the same, or `cron`. */
export function fromCron(cron: string): When {
  const text = cron.trim().replaceAll(/\s+/g, " ");
  const found = /^(\d{1,2}) (\*|\d{1,2}) (\*|\d{1,2}) \* (\*|[0-7])$/.exec(text);
  const own: When = { ...nightly, often: "cron", cron: text };
  if (!found) return own;
  const [, minute = "", hour = "", day = "", weekday = ""] = found;
  if (Number(minute) > 59 || (hour !== "*" && Number(hour) > 23)) return own;
  if (day !== "*" && (Number(day) < 1 || Number(day) > 31)) return own;
  if (hour === "*") {
    return day === "*" && weekday === "*" ? { ...own, often: "hourly", minute: String(Number(minute)) } : own;
  }
  const time = `${two(Number(hour))}:${two(Number(minute))}`;
  if (day === "*" && weekday === "*") return { ...own, often: "daily", time };
  if (day === "*") return { ...own, often: "weekly", time, weekday: String(Number(weekday) % 7) };
  // Cron takes a day of the month and a day of the week as either.
  return weekday === "*" ? { ...own, often: "monthly", time, day: String(Number(day)) } : own;
}

/** The days of the week in a language, from Sunday on. */
export function weekdays(language: string): string[] {
  const format = new Intl.DateTimeFormat(language, { weekday: "long", timeZone: "UTC" });
  // 4 January 1970 was a Sunday.
  return [0, 1, 2, 3, 4, 5, 6].map((day) => format.format(new Date((3 + day) * 86_400_000)));
}

/** The text that says it, and what goes into it. */
export function inWords(cron: string, language: string): { key: string; values: Record<string, string> } {
  const when = fromCron(cron);
  const hours = /^(\d{1,2}) \*\/(\d{1,2}) \* \* \*$/.exec(when.cron);
  // Where it does not divide the day, the last step of a day is shorter than the others.
  if (hours && Number(hours[1]) < 60 && [2, 3, 4, 6, 8, 12].includes(Number(hours[2]))) {
    return { key: "schedules.words_hours", values: { minute: hours[1]!, hours: hours[2]! } };
  }
  return {
    key: `schedules.words_${when.often}`,
    values: {
      time: when.time,
      minute: when.minute,
      day: when.day,
      cron: when.cron,
      weekday: weekdays(language)[Number(when.weekday)] ?? "",
    },
  };
}
