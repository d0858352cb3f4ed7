import { describe, expect, it } from "vitest";
import { fromWallClock, toWallClock } from "./zoned";

describe("a zone's clocks", () => {
  it.each([
    ["America/Sao_Paulo", "2026-11-24T09:30", "2026-11-24T12:30:00.000Z"],
    ["UTC", "2026-11-24T09:30", "2026-11-24T09:30:00.000Z"],
    ["Asia/Kathmandu", "2026-01-01T00:10", "2025-12-31T18:25:00.000Z"],
    ["Europe/Berlin", "2026-07-01T12:00", "2026-07-01T10:00:00.000Z"],
    ["Europe/Berlin", "2026-12-01T12:00", "2026-12-01T11:00:00.000Z"],
    // The day on which São Paulo last put its clocks forward, at midnight.
    ["America/Sao_Paulo", "2018-11-04T01:00", "2018-11-04T03:00:00.000Z"],
    ["America/Sao_Paulo", "2018-11-03T23:59", "2018-11-04T02:59:00.000Z"],
  ])("in %s show %s at %s, and back", (zone, wall, utc) => {
    expect(fromWallClock(wall, zone)?.toISOString()).toBe(utc);
    expect(toWallClock(new Date(utc), zone)).toBe(wall);
  });

  it("show an hour twice when they go back: it is one of the two", () => {
    const at = fromWallClock("2026-10-25T02:30", "Europe/Berlin")!.toISOString();
    expect(["2026-10-25T00:30:00.000Z", "2026-10-25T01:30:00.000Z"]).toContain(at);
  });

  it("do not show what is no time", () => {
    expect(fromWallClock("", "UTC")).toBeNull();
    expect(fromWallClock("soon", "UTC")).toBeNull();
  });
});
