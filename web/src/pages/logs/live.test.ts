import { describe, expect, it } from "vitest";
import { EventParser } from "./live";

const all = (...pieces: string[]) => {
  const parser = new EventParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

describe("a stream of events", () => {
  it("is taken apart wherever its pieces end", () => {
    const text =
      'event: log\r\nid: 7\r\ndata: {"a":1}\r\n\r\n: heartbeat\n\nevent: sampled\ndata: {"dropped":3}\n\n';
    const want = [
      { event: "log", data: '{"a":1}', id: "7" },
      { event: "sampled", data: '{"dropped":3}', id: "7" },
    ];
    expect(all(text)).toEqual(want);
    expect(all(...text)).toEqual(want);
    for (let at = 1; at < text.length; at++) expect(all(text.slice(0, at), text.slice(at))).toEqual(want);
  });

  it("joins lines of data and leaves only one space away", () => {
    expect(all("data:  x\ndata\ndata:y\n\n")).toEqual([{ event: "message", data: " x\n\ny", id: undefined }]);
  });

  it("says nothing of an event without data, and keeps its id", () => {
    expect(all("id: 1\n\n", "data: a\n\n")).toEqual([{ event: "message", data: "a", id: "1" }]);
  });

  it("does not hand out an event that is not complete", () => {
    expect(all("data: half")).toEqual([]);
    expect(all("data: half\n")).toEqual([]);
  });
});
