import { describe, expect, it } from "vitest";
import type { Execution, SourceSummary } from "@/api/types";
import { ago, brief, done, noSources, running, summary } from "@/test/fixtures";
import { onlySource, overallHealth, sourceHealth } from "./health";

const now = () => Date.now();
const row = (over: Partial<SourceSummary>): SourceSummary => ({ ...summary().sources[0]!, ...over });
const failed = (over: Partial<Execution> = {}) =>
  brief(done({ status: "failed", started_at: ago(60), ...over }));

describe("a database", () => {
  it("is protected by a good copy whose next one is not overdue", () => {
    expect(sourceHealth(row({}), now())).toBe("ok");
  });
  it("has failed when its last ended run failed, even while another one runs", () => {
    expect(sourceHealth(row({ recent: [brief(done()), failed()] }), now())).toBe("failed");
    const recent = [failed(), brief(running())];
    expect(sourceHealth(row({ recent, running: running() }), now())).toBe("failed");
  });
  it("has not failed because somebody stopped a run", () => {
    expect(sourceHealth(row({ recent: [brief(done()), failed({ canceled: true })] }), now())).toBe("ok");
  });
  it("is late when its scheduled run did not start, or when nothing is scheduled and the copy is old", () => {
    expect(sourceHealth(row({ next_run: ago(3_600) }), now())).toBe("late");
    const old = brief(done({ started_at: ago(48 * 3_600) }));
    expect(sourceHealth(row({ next_run: null, last_success: old, recent: [old] }), now())).toBe("late");
  });
  it("was never copied, or is being copied for the first time", () => {
    const none = { last_success: null, recent: [] };
    expect(sourceHealth(row(none), now())).toBe("never");
    expect(sourceHealth(row({ ...none, running: running() }), now())).toBe("first");
  });
});

describe("all databases together", () => {
  it("are as well as the worst of them", () => {
    const all = summary();
    all.sources.push(
      row({ source: { ...all.sources[0]!.source, id: "b", name: "folha" }, recent: [failed()] }),
    );
    expect(overallHealth(all, now())).toMatchObject({ state: "failed", names: ["folha"] });
  });
  it("are none when there is none", () => {
    expect(overallHealth(noSources, now()).state).toBe("none");
  });
  it("can be narrowed to one, and an unknown one narrows nothing", () => {
    const all = summary();
    expect(onlySource(all, all.sources[0]!.source.id).storage_bytes).toBe(all.sources[0]!.storage_bytes);
    expect(onlySource(all, "gone")).toBe(all);
  });
});
