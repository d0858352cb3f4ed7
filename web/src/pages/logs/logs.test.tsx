import { fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Log, serialize } from "@/api/logs";
import { summary } from "@/test/fixtures";
import { type Handlers, never, open, problem } from "@/test/stub";
import { Highlighted } from "./log-list";
import { flatten, valueAt } from "./metadata";

import { fromSaved, metadataOf, type Query, toSaved } from "./query";

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
    // What leads on goes on with the search.
    await waitFor(() =>
      expect(screen.getByRole("link", { name: "Exportar" })).toHaveAttribute(
        "href",
        "/admin/logs/export?q=cheio",
      ),
    );
    expect(screen.getByRole("link", { name: /disco cheio$/ })).toHaveAttribute(
      "href",
      `/admin/logs?q=cheio&log=${log().id}`,
    );
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

  it("leave out a value of an entry, and say so", async () => {
    const one = log();
    const view = at(`?log=${one.id}&meta=request.status%3D500`, page([one]));
    const detail = await screen.findByRole("dialog");
    await view.user.click(
      await within(detail).findByRole("button", { name: "Sem registros com request.status 500" }),
    );
    await waitFor(() => expect(asked(view).get("exclude_metadata.request.status")).toBe("500"));
    expect(asked(view).has("metadata.request.status")).toBe(false);
    await view.user.keyboard("{Escape}");
    await view.user.click(
      await screen.findByRole("button", { name: "Tirar o filtro sem request.status=500" }),
    );
    await waitFor(() => expect(asked(view).has("exclude_metadata.request.status")).toBe(false));
  });

  it("leave out a source and a level", async () => {
    const one = log();
    const view = at(`?log=${one.id}`, page([one]));
    const detail = await screen.findByRole("dialog");
    await view.user.click(await within(detail).findByRole("button", { name: "Sem registros com Fonte api" }));
    await waitFor(() => expect(asked(view).getAll("exclude_source")).toEqual(["api"]));
    await view.user.click(within(detail).getByRole("button", { name: "Sem registros com Nível erro" }));
    await waitFor(() => expect(asked(view).getAll("level")).toEqual(["critical", "warn", "info", "debug"]));
  });

  it("show a value in a column of its own, which the address keeps", async () => {
    const one = log();
    const view = at(`?log=${one.id}`, page([one, log({ id: "other", metadata: {} })]));
    const detail = await screen.findByRole("dialog");
    await view.user.click(
      await within(detail).findByRole("button", { name: "Mostrar request.status em uma coluna" }),
    );
    await waitFor(() => expect(view.at()).toContain("cols=request.status"));
    await view.user.keyboard("{Escape}");
    const rows = within(await screen.findByRole("list", { name: /Registros/ })).getAllByRole("listitem");
    expect(rows[0]).toHaveTextContent("500");
    expect(rows[1]).toHaveTextContent("—");
    await view.user.click(await screen.findByRole("button", { name: "Tirar a coluna request.status" }));
    await waitFor(() => expect(view.at()).not.toContain("cols="));
  });

  it("lead from an entry to its pattern, by its template", async () => {
    const pattern_id = "00000000-0000-4000-8000-0000000000b1";
    const one = log({ pattern_id });
    const view = at(`?log=${one.id}&range=7d`, page([one]), {
      [`GET /api/logs/patterns/${pattern_id}`]: { id: pattern_id, template: "compressão falhou: <*>" },
    });
    const detail = await screen.findByRole("dialog");
    expect(await within(detail).findByTitle("compressão falhou: <*>")).toBeInTheDocument();
    expect(within(detail).getByRole("link", { name: "Ver o padrão" })).toHaveAttribute(
      "href",
      `/admin/logs/patterns?range=7d&open=${pattern_id}`,
    );
    await view.user.click(within(detail).getByRole("button", { name: "Sem este padrão" }));
    await waitFor(() => expect(asked(view).getAll("exclude_pattern_id")).toEqual([pattern_id]));
    await view.user.keyboard("{Escape}");
    expect(
      await screen.findByRole("button", { name: "Tirar o filtro sem Padrão: compressão falhou: <*>" }),
    ).toBeInTheDocument();
  });

  it("take a fixed range by the clocks of the reader's zone", async () => {
    const view = at("", page([log()]));
    await view.user.click(await screen.findByRole("button", { name: "Período: Últimas 24 horas" }));
    const start = await screen.findByLabelText("De");
    const end = screen.getByLabelText("Até");
    fireEvent.change(start, { target: { value: "2026-11-24T10:00" } });
    fireEvent.change(end, { target: { value: "2026-11-24T09:00" } });
    await view.user.click(screen.getByRole("button", { name: "Aplicar" }));
    expect(await screen.findByText("O fim deve vir depois do início.")).toBeInTheDocument();
    fireEvent.change(start, { target: { value: "2026-11-24T08:00" } });
    await view.user.click(screen.getByRole("button", { name: "Aplicar" }));
    await waitFor(() => expect(asked(view).get("start_date")).toBe("2026-11-24T11:00:00.000Z"));
    expect(asked(view).get("end_date")).toBe("2026-11-24T12:00:00.000Z");
    await view.user.click(await screen.findByRole("button", { name: /^Período: 24 de nov/ }));
    await view.user.click(await screen.findByRole("button", { name: "Últimos 7 dias" }));
    await waitFor(() => expect(view.at()).toBe("/admin/logs?range=7d"));
  });

  it("carry the search to its export, without the open entry", async () => {
    at("?q=cheio&level=error&log=x&live=true", page([log()]), {
      "GET /api/logs/x": log({ id: "x" }),
      "GET /api/logs/tail": never,
    });
    expect(await screen.findByRole("link", { name: "Exportar", hidden: true })).toHaveAttribute(
      "href",
      "/admin/logs/export?q=cheio&level=error",
    );
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

  it("hold what comes in while the reader is further down, and count all of it", async () => {
    let send = (_: string) => {};
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        send = (text) => controller.enqueue(new TextEncoder().encode(text));
      },
    });
    const event = (id: string) =>
      `event: log\nid: ${id}\ndata: ${JSON.stringify(log({ id, message: id }))}\n\n`;
    const scrolledTo = (y: number) => {
      Object.defineProperty(globalThis, "scrollY", { value: y, configurable: true });
      fireEvent.scroll(window);
    };
    onTestFinished(() => scrolledTo(0));
    const view = at("?live=true", page([log()]), {
      "GET /api/logs/tail": () => new Response(stream, { headers: { "content-type": "text/event-stream" } }),
    });
    await screen.findByText("Acompanhando; registros novos aparecem no topo.");
    scrolledTo(500);
    await screen.findByText("Em pausa enquanto você lê mais abaixo.");
    send(Array.from({ length: 2_001 }, (_, i) => event(`n${i}`)).join(""));
    const button = await screen.findByRole("button", { name: "2.001 registros novos" });
    expect(screen.queryByText("n2000")).not.toBeInTheDocument();
    await view.user.click(button);
    expect(await screen.findByText("n2000")).toBeInTheDocument();
    expect(screen.queryByRole("button", { name: /registros novos/ })).not.toBeInTheDocument();
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

  it("go to a saved search and come back, exclusions too", () => {
    const saved = { exclude_source: ["a"], exclude_pattern_id: "p", "exclude_metadata.k": "v" };
    const query = fromSaved(saved);
    expect(query).toMatchObject({ not_from: ["a"], not_pattern: ["p"], not_meta: ["k=v"], meta: [] });
    expect(toSaved({ ...fromSaved({}), ...query } as Query)).toEqual({ ...saved, exclude_pattern_id: ["p"] });
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

  it("finds the member at a path, also where keys have dots", () => {
    const metadata = { a: { b: 1 }, "http.status": 500, x: { "y.z": "deep" } };
    expect(valueAt(metadata, "a.b")).toBe(1);
    expect(valueAt(metadata, "http.status")).toBe(500);
    expect(valueAt(metadata, "x.y.z")).toBe("deep");
    expect(valueAt(metadata, "a.c")).toBeUndefined();
    expect(valueAt(metadata, "toString")).toBeUndefined();
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
