import { render, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { type Log, serialize } from "@/api/logs";
import { summary } from "@/test/fixtures";
import { type Handlers, never, open, problem } from "@/test/stub";
import { Highlighted } from "./log-list";
import { flatten } from "./metadata";
import { fromSaved, metadataOf } from "./query";

const log = (over: Partial<Log> = {}): Log => ({
  id: "00000000-0000-4000-8000-00000000001a",
  level: "error",
  source: "api",
  message: "compressão falhou: disco cheio",
  metadata: { request: { status: 500 }, tags: ["a"] },
  created_at: "2026-11-24T11:59:58.123456Z",
  user_id: null,
  session_id: "s-1",
  pattern_id: null,
  ...over,
});
const page = (logs: Log[], over = {}) => ({
  logs,
  total_count: logs.length,
  total_count_relation: "eq",
  has_more: false,
  next_cursor: null,
  searched_back_to: null,
  ...over,
});
const histogram = {
  start: "2026-11-24T11:00:00Z",
  end: "2026-11-24T12:00:00Z",
  interval_seconds: 1800,
  exact: true,
  total: 3,
  buckets: [
    { start: "2026-11-24T11:00:00Z", total: 1, levels: { info: 1 } },
    { start: "2026-11-24T11:30:00Z", total: 2, levels: { error: 2 } },
  ],
};
const facets = {
  start: "2026-11-24T11:00:00Z",
  end: "2026-11-24T12:00:00Z",
  exact: true,
  total: 3,
  levels: [{ value: "error", count: 2 }],
  sources: [{ value: "api", count: 3 }],
  patterns: [],
};
const at = (search: string, found: Handlers[string], more: Handlers = {}) =>
  open(`/admin/logs${search}`, {
    "GET /api/backup/summary": summary(),
    "GET /api/logs/search": found,
    "GET /api/logs/histogram": histogram,
    "GET /api/logs/facets": facets,
    "GET /api/logs/saved": { items: [], next_cursor: null, has_more: false },
    ...more,
  });
const asked = (view: ReturnType<typeof at>) =>
  view.calls.filter((call) => call.path === "/api/logs/search").at(-1)!.url.searchParams;

describe("the logs", () => {
  it("keep their places while they load", async () => {
    at("", never);
    expect((await screen.findAllByText("Carregando…")).length).toBeGreaterThan(0);
  });

  it("ask the API what the address says", async () => {
    const view = at(
      "?q=disco&mode=substring&level=error,warn&from=api&meta=request.status%3D500&start=2026-11-24T11:00:00.000Z&end=2026-11-24T12:00:00.000Z",
      page([log()]),
    );
    await screen.findByRole("list", { name: /Registros/ });
    const query = asked(view);
    expect(query.get("search_term")).toBe("disco");
    expect(query.get("mode")).toBe("substring");
    expect(query.getAll("level")).toEqual(["error", "warn"]);
    expect(query.getAll("source")).toEqual(["api"]);
    expect(query.get("metadata.request.status")).toBe("500");
    expect(query.get("start_date")).toBe("2026-11-24T11:00:00.000Z");
  });

  it("search for what is typed, and narrow by a facet", async () => {
    const view = at("", page([log()]));
    await view.user.type(await screen.findByRole("searchbox"), "cheio{Enter}");
    await waitFor(() => expect(view.at()).toContain("q=cheio"));
    await view.user.click(await screen.findByRole("button", { name: /^api\s*3/ }));
    await waitFor(() => expect(asked(view).getAll("source")).toEqual(["api"]));
    await view.user.click(screen.getByRole("button", { name: "Tirar o filtro Fonte: api" }));
    await waitFor(() => expect(view.at()).not.toContain("from="));
  });

  it("tell nothing matching from nothing there, and from a search that has not finished", async () => {
    const nothing = at("", page([]));
    expect(await screen.findByText("Nenhum registro neste período")).toBeInTheDocument();
    nothing.unmount();
    const filtered = at("?q=x", page([]));
    expect(await screen.findByText("Nada corresponde")).toBeInTheDocument();
    filtered.unmount();
    at("?q=x", page([], { has_more: true, next_cursor: "c", searched_back_to: "2026-11-24T10:00:00Z" }));
    expect(await screen.findByText("Nada encontrado até aqui")).toBeInTheDocument();
  });

  it("say what is wrong with a search", async () => {
    at("?q=(&mode=regex", problem(422, { detail: "A expressão não fecha um parêntese." }));
    expect(await screen.findByText("A expressão não fecha um parêntese.")).toBeInTheDocument();
  });

  it("open an entry, filter by its metadata and show its neighbours", async () => {
    const one = log();
    const view = at(`?log=${one.id}`, page([one]), {
      [`GET /api/logs/${one.id}/context`]: {
        log: one,
        before: [log({ id: "b", message: "antes" })],
        after: [log({ id: "a", message: "depois" })],
      },
    });
    const detail = await screen.findByRole("dialog");
    await view.user.click(await within(detail).findByRole("button", { name: "Antes e depois" }));
    expect(await within(detail).findByText("antes")).toBeInTheDocument();
    expect(within(detail).getByText("depois")).toBeInTheDocument();
    await view.user.click(
      within(detail).getByRole("button", { name: "Só registros com request.status 500" }),
    );
    await waitFor(() => expect(asked(view).get("metadata.request.status")).toBe("500"));
  });

  it("open an entry that the list does not hold", async () => {
    const far = log({ id: "far", message: "de ontem" });
    at("?log=far", page([log()]), { "GET /api/logs/far": far });
    expect(await within(await screen.findByRole("dialog")).findByText("de ontem")).toBeInTheDocument();
  });

  it("save a search by its parameters", async () => {
    const view = at("?q=cheio&level=error&meta=a.b%3Dc", page([log()]), {
      "POST /api/logs/saved": { id: "s", name: "disco", query: {}, shared: false, own: true },
    });
    await view.user.click(await screen.findByRole("button", { name: "Salvas" }));
    await view.user.click(await screen.findByRole("menuitem", { name: "Salvar esta busca" }));
    await view.user.type(await screen.findByLabelText("Nome"), "disco");
    await view.user.click(screen.getByRole("button", { name: "Salvar" }));
    await waitFor(() =>
      expect(view.calls.find((call) => call.method === "POST")?.body).toEqual({
        name: "disco",
        shared: false,
        query: { search_term: "cheio", level: ["error"], "metadata.a.b": "c" },
      }),
    );
  });

  it("follow what comes in, above what was found", async () => {
    const stream = new ReadableStream({
      start(controller) {
        const event = `event: log\nid: 1\ndata: ${JSON.stringify(log({ id: "new", message: "acabou de chegar" }))}\n\n`;
        controller.enqueue(new TextEncoder().encode(event));
      },
    });
    const view = at("?live=true&level=error", page([log()]), {
      "GET /api/logs/tail": () => new Response(stream, { headers: { "content-type": "text/event-stream" } }),
    });
    expect(await screen.findByText("acabou de chegar")).toBeInTheDocument();
    const call = view.calls.find((one) => one.path === "/api/logs/tail")!;
    expect(call.url.searchParams.getAll("level")).toEqual(["error"]);
    expect(call.headers.get("authorization")).toBe("Bearer token-1");
    view.unmount();
  });

  it("say that the live tail was refused, and do not ask for ever", async () => {
    const view = at("?live=true", page([log()]), {
      "GET /api/logs/tail": problem(403, { detail: "Falta a permissão logs.read." }),
    });
    expect(await screen.findByText("Falta a permissão logs.read.")).toBeInTheDocument();
    expect(view.calls.filter((one) => one.path === "/api/logs/tail")).toHaveLength(1);
  });
});

describe("the search's parameters", () => {
  it("repeat lists and spell metadata as paths", () => {
    expect(serialize({ level: ["a", "b"], metadata: { "x.y": "1&2" }, search_term: "", limit: 3 })).toBe(
      "level=a&level=b&metadata.x.y=1%262&limit=3",
    );
  });

  it("come back from a saved search", () => {
    const query = fromSaved({ search_term: "a", level: "error", "metadata.k": 5, nonsense: true });
    expect(query).toMatchObject({ q: "a", level: ["error"], meta: ["k=5"], mode: "words", start: null });
  });

  it("keep an equals sign of a value", () => {
    expect(metadataOf(["a=b=c", "nothing", "=x"])).toEqual({ a: "b=c" });
  });
});

describe("an entry", () => {
  it("shows each leaf of its metadata, and which of them can be searched for", () => {
    expect(flatten({ a: { b: 1, c: "x" }, d: [1], e: null })).toEqual([
      ["a.b", "1", true],
      ["a.c", "x", true],
      ["d", "[1]", false],
      ["e", "null", false],
    ]);
  });

  it("marks what was found and survives spans that make no sense", () => {
    const { container } = render(
      <Highlighted
        text="não dá"
        spans={[
          [0, 3],
          [2, 5],
          [4, 99],
        ]}
      />,
    );
    expect(container.querySelectorAll("mark")).toHaveLength(1);
    expect(container.textContent).toBe("não dá");
  });
});
