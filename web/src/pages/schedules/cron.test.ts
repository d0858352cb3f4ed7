import { describe, expect, it } from "vitest";
import { fromCron, inWords, toCron, weekdays } from "./cron";

describe("cron and what people choose", () => {
  it.each([
    ["15 * * * *", "hourly"],
    ["0 2 * * *", "daily"],
    ["30 23 * * 5", "weekly"],
    ["5 4 31 * *", "monthly"],
  ])("%s is %s, and back", (cron, often) => {
    expect(fromCron(cron).often).toBe(often);
    expect(toCron(fromCron(cron))).toBe(cron);
  });

  it.each([
    "*/30 8-18 * * 1-5",
    "0 2 1 * 1",
    "0 2 * 6 *",
    "61 * * * *",
    "0 24 * * *",
    "0 2 32 * *",
    "0 2 0 * *",
    "5 * 1 * *",
    "@daily",
    "0 2 * *",
    "",
  ])("%s stays as it is written", (cron) => {
    expect(fromCron(cron)).toMatchObject({ often: "cron", cron });
    expect(toCron(fromCron(cron))).toBe(cron);
  });

  it("7 is Sunday too, and spaces do not matter", () => {
    expect(fromCron(" 0  2 * *\t7 ")).toMatchObject({ often: "weekly", weekday: "0", time: "02:00" });
  });

  it("is said in words", () => {
    expect(weekdays("pt-BR")[0]).toBe("domingo");
    expect(weekdays("en")[6]).toBe("Saturday");
    expect(inWords("30 23 * * 5", "en")).toMatchObject({
      key: "schedules.words_weekly",
      values: { time: "23:30", weekday: "Friday" },
    });
    expect(inWords("5 */6 * * *", "en")).toEqual({
      key: "schedules.words_hours",
      values: { minute: "5", hours: "6" },
    });
    expect(inWords("0 */5 * * *", "en").key).toBe("schedules.words_cron");
  });
});
