import { useEffect, useRef, useState } from "react";
import { type Log, type LogQuery, serialize } from "@/api/logs";
import { toApiError } from "@/api/problem";
import { useServices } from "@/app/services";

/** How many entries are kept; older ones are found by the search. */
const kept = 2_000;

export type ServerEvent = { event: string; data: string; id: string | undefined };

/**
 * Takes a server-sent event stream apart, as the HTML standard has it; text
 * comes in pieces that may end anywhere, also between CR and LF.
 */
export class EventParser {
  #rest = "";
  #event = "";
  #data: string[] = [];
  #id: string | undefined;

  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    this.#rest += text;
    for (;;) {
      const at = this.#rest.search(/[\r\n]/);
      if (at < 0) return events;
      const cr = this.#rest[at] === "\r";
      // A CR at the very end may be half of a CR LF.
      if (cr && at === this.#rest.length - 1) return events;
      const line = this.#rest.slice(0, at);
      this.#rest = this.#rest.slice(at + (cr && this.#rest[at + 1] === "\n" ? 2 : 1));
      const event = this.#line(line);
      if (event) events.push(event);
    }
  }

  #line(line: string): ServerEvent | null {
    if (line === "") {
      const event = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id };
      const has = this.#data.length > 0;
      this.#event = "";
      this.#data = [];
      return has ? event : null;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return null; // a comment: the heartbeat
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return null;
  }
}

export type Tail = {
  state: "off" | "connecting" | "open" | "lost";
  /** Newest first. */
  logs: Log[];
  /** How many came since the reader paused it, and are not in `logs` yet. */
  waiting: number;
  dropped: number;
  error: unknown;
  show: () => void;
};

/** Follows the log while `on`; what comes while `paused` waits until it is shown. */
export function useTail(query: LogQuery, on: boolean, paused: boolean): Tail {
  const { session } = useServices();
  const [logs, setLogs] = useState<Log[]>([]);
  const [held, setHeld] = useState<Log[]>([]);
  const [waiting, setWaiting] = useState(0);
  const [state, setState] = useState<Tail["state"]>("off");
  const [dropped, setDropped] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const hold = useRef(paused);
  hold.current = paused;
  const asked = serialize(query);

  useEffect(() => {
    setLogs([]);
    setHeld([]);
    setWaiting(0);
    setDropped(0);
    setError(null);
    setState(on ? "connecting" : "off");
    if (!on) return;
    const stop = new AbortController();
    let last: string | undefined;
    // Entries come one by one, and a screen need not be drawn for each.
    let batch: Log[] = [];
    const flush = () => {
      if (batch.length === 0) return;
      const next = batch.reverse();
      batch = [];
      if (hold.current) setWaiting((n) => n + next.length);
      (hold.current ? setHeld : setLogs)((before) => [...next, ...before].slice(0, kept));
    };
    const timer = setInterval(flush, 200);
    const take = ({ event, data, id }: ServerEvent) => {
      if (id !== undefined) last = id;
      if (event === "log") batch.push(JSON.parse(data) as Log);
      else if (event === "sampled")
        setDropped((n) => n + ((JSON.parse(data) as { dropped: number }).dropped || 0));
    };
    const connect = async () => {
      const token = await session.token();
      const search = [asked, last === undefined ? "" : `last_event_id=${encodeURIComponent(last)}`];
      const response = await globalThis.fetch(
        new Request(`${globalThis.location.origin}/api/logs/tail?${search.filter(Boolean).join("&")}`, {
          headers: { accept: "text/event-stream", ...(token ? { authorization: `Bearer ${token}` } : {}) },
          signal: stop.signal,
        }),
      );
      if (response.status === 401) session.refused(token);
      if (!response.ok || !response.body) {
        throw toApiError(await response.json().catch(() => null), response);
      }
      setState("open");
      setError(null);
      const parser = new EventParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        for (const event of parser.push(value)) take(event);
      }
    };
    const run = async () => {
      for (let failures = 0; !stop.signal.aborted; ) {
        const begin = Date.now();
        try {
          await connect();
          failures = 0; // a stream ends by itself when its function's time is over
        } catch (cause) {
          if (stop.signal.aborted) return;
          const status = (cause as { status?: number }).status ?? 0;
          setError(cause);
          setState("lost");
          if (status >= 400 && status < 500 && status !== 429) return;
          failures = Date.now() - begin > 10_000 ? 1 : failures + 1;
        }
        await new Promise((resolve) => setTimeout(resolve, Math.min(10_000, 250 * 2 ** failures)));
      }
    };
    void run();
    return () => {
      stop.abort();
      clearInterval(timer);
    };
  }, [on, asked, session]);

  return {
    state,
    logs,
    waiting,
    dropped,
    error,
    show: () => {
      setLogs((before) => [...held, ...before].slice(0, kept));
      setHeld([]);
      setWaiting(0);
    },
  };
}
