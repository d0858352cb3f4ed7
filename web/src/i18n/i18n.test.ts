import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import en from "./en.json";
import ptBR from "./pt-BR.json";

const suffix = /_(zero|one|two|few|many|other)$/;
const stems = (texts: object) =>
  [...new Set(Object.keys(texts).map((key) => key.replace(suffix, "")))].sort();
const placeholders = (text: string) => [...new Set(text.match(/\{\{\w+\}\}/g) ?? [])].sort();

function forms(texts: Record<string, string>) {
  const plural = new Map<string, string[]>();
  for (const key of Object.keys(texts)) {
    const form = suffix.exec(key)?.[1];
    if (form) plural.set(key.replace(suffix, ""), [...(plural.get(key.replace(suffix, "")) ?? []), form]);
  }
  return plural;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) && !/\.test\./.test(entry.name) ? [readFileSync(path, "utf8")] : [];
  });
}

describe("texts", () => {
  it("have the same keys in both languages", () => {
    expect(stems(en)).toEqual(stems(ptBR));
  });

  it("have every plural form their language needs", () => {
    for (const [key, has] of forms(ptBR)) expect(has.sort(), key).toEqual(["many", "one", "other", "zero"]);
    for (const [key, has] of forms(en)) expect(has.sort(), key).toEqual(["one", "other", "zero"]);
  });

  it("are not empty and use the same values", () => {
    const english: Record<string, string> = en;
    for (const [key, text] of Object.entries(ptBR)) {
      expect(text.trim(), key).not.toBe("");
      // Only `other` must hold all values: "one" may say the number as a word.
      const twin = english[key];
      if (twin && (!suffix.test(key) || key.endsWith("_other"))) {
        expect(placeholders(twin), key).toEqual(placeholders(text));
      }
    }
  });

  it("exist for every key that the program names, and none is left over", () => {
    const program = sources("src").join("\n");
    const known = stems(ptBR);
    for (const [, key] of program.matchAll(/\bt\("([^"]+)"/g)) expect(known, key).toContain(key);
    const prefixes = [...program.matchAll(/`([a-z_.]+[._])\$\{/g)].map((match) => match[1]!);
    const unused = known.filter(
      (key) =>
        !program.includes(`"${key}"`) &&
        !prefixes.some((p) => key.startsWith(p)) &&
        !/^first\.step/.test(key),
    );
    expect(unused).toEqual([]);
  });
});
