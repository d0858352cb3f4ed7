import { describe, expect, it } from "vitest";
import { formatBytes, formatPercent, formatRate, formatShare } from "./number";
import { formatDateTime, formatDuration, formatRelative, formatUtc } from "./time";

const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, " ");

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1 kB"],
    [999_499, "999 kB"],
    [999_999, "1 MB"],
    [4_553_212, "4,55 MB"],
    [18_212_848, "18,2 MB"],
    [123_456_789_012, "123 GB"],
    [-1, "—"],
    [Number.NaN, "—"],
  ])("%d is %s in Portuguese", (bytes, text) => expect(plain(formatBytes(bytes, "pt-BR"))).toBe(text));

  it("follow the language", () => {
    expect(plain(formatBytes(4_553_212, "en"))).toBe("4.55 MB");
    expect(plain(formatRate(25_000_000, "pt-BR"))).toBe("25 MB/s");
  });
});

describe("durations", () => {
  it.each([
    [0, "0 s"],
    [0.0561, "56 ms"],
    [2.24, "2,2 s"],
    [59.4, "59 s"],
    [60, "1 min"],
    [200, "3 min 20 s"],
    [3_600, "1 h"],
    [3_661, "1 h 1 min"],
    [90_000, "1 d 1 h"],
    [-1, "—"],
  ])("%d seconds are %s", (seconds, text) => expect(plain(formatDuration(seconds, "pt-BR"))).toBe(text));
});

describe("relative times", () => {
  const now = Date.parse("2026-11-24T12:00:00Z");
  it.each([
    ["2026-11-24T11:59:50Z", "agora"],
    ["2026-11-24T10:01:00Z", "há 1 hora"],
    ["2026-11-24T09:00:00Z", "há 3 horas"],
    ["2026-11-23T11:00:00Z", "ontem"],
    ["2026-11-24T12:49:00Z", "em 49 minutos"],
  ])("%s is %s", (iso, text) => expect(formatRelative(iso, now, "pt-BR")).toBe(text));
});

describe("moments", () => {
  const now = Date.parse("2026-11-24T12:00:00Z");
  it("are told in the reader's zone, with the year only when it is another one", () => {
    const zone = "America/Sao_Paulo";
    expect(plain(formatDateTime("2026-11-24T00:04:00Z", { language: "pt-BR", zone, now }))).toBe(
      "23 de nov., 21:04",
    );
    expect(formatDateTime("2025-03-01T00:04:00Z", { language: "pt-BR", zone, now })).toContain("2025");
    expect(formatDateTime("not a date", { language: "pt-BR", zone, now })).toBe("—");
  });

  it("are told in UTC beside it", () =>
    expect(formatUtc("2026-11-24T00:04:05.9Z")).toBe("2026-11-24 00:04:05 UTC"));
});

it("shares stay between nothing and all", () => {
  expect(formatPercent(0.499, "en")).toBe("50%");
  expect(formatPercent(7, "en")).toBe("100%");
});

it.each([
  [0, "0%"],
  [0.00001, "< 0,01%"],
  [0.0123, "1,2%"],
  [0.19, "19%"],
  [1, "100%"],
])("a part of %d is said as %s", (share, text) => expect(plain(formatShare(share, "pt-BR"))).toBe(text));
