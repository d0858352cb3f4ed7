import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { LogExport } from "@/api/exports";
import type { Log } from "@/api/logs";
import { ago, summary } from "@/test/fixtures";
import { type Handlers, never, open, problem } from "@/test/stub";
import { type Choices, columns } from "./choices";
import { notesOf, sizeOf } from "./estimate";
import { againOf } from "./filters-in-words";

const job = (over: Partial<LogExport> = {}): LogExport => ({
  success: true,
  export_id: "00000000-0000-4000-8000-0000000000d1",
  status: "completed",
  format: "csv",
  filters: { level: "error", start_date: "2026-11-24T11:00:00Z", end_date: "2026-11-24T12:00:00Z" },
  download_url: "/files/logs.csv",
  expires_at: ago(-3_500),
  file_expires_at: ago(-7 * 86_400),
  file_name: "logs-20261124T120000Z.csv",
  rows_done: 508,
  rows_expected: 508,
  row_count: 508,
  size_bytes: 114_000,
  error: null,
  created_at: ago(60),
  completed_at: ago(58),
  ...over,
});
const page = (items: LogExport[]) => ({ items, next_cursor: null, has_more: false });
const counted = (total: number, exact = true) => ({
  start: "2026-11-24T11:00:00Z",
  end: "2026-11-24T12:00:00Z",
  interval_seconds: 3_600,
  exact,
  total,
  buckets: [{ start: "2026-11-24T11:00:00Z", total, levels: { error: total } }],
});
const log: Log = {
  id: "l1",
  level: "error",
  source: "api",
  message: 'a "b"',
  metadata: { x: 1 },
  created_at: "2026-11-24T11:59:58.123456Z",
  user_id: null,
  session_id: null,
  pattern_id: null,
};
const fixed = "start=2026-11-24T11:00:00.000Z&end=2026-11-24T12:00:00.000Z";
const at = (search: string, more: Handlers = {}) =>
  open(`/admin/logs/export${search}`, {
    "GET /api/backup/summary": summary(),
    "GET /api/logs/histogram": counted(508),
    "GET /api/logs/search": {
      logs: [log],
      total_count: 1,
      total_count_relation: "eq",
      has_more: false,
      next_cursor: null,
      searched_back_to: null,
    },
    "GET /api/logs/exports": page([]),
    ...more,
  });
const posted = (view: ReturnType<typeof at>) => view.calls.filter((call) => call.method === "POST");

describe("the export of logs", () => {
  it("counts the search of the address before anything is made", async () => {
    const view = at(`?q=disco&level=error,warn&not_from=old&${fixed}`);
    expect(await screen.findByText("508 registros")).toBeInTheDocument();
    const query = view.calls.find((call) => call.path === "/api/logs/histogram")!.url.searchParams;
    expect(query.get("search_term")).toBe("disco");
    expect(query.getAll("level")).toEqual(["error", "warn"]);
    expect(query.getAll("exclude_source")).toEqual(["old"]);
    expect(await screen.findByText(/cerca de/)).toBeInTheDocument();
    expect(posted(view)).toEqual([]);
  });

  it("asks for what was chosen, and keeps the choice in the address", async () => {
    const view = at(`?level=error&meta=a.b%3Dc&${fixed}`, { "POST /api/logs/export": job() });
    await view.user.click(await screen.findByRole("radio", { name: /^NDJSON/ }));
    await view.user.click(screen.getByRole("checkbox", { name: "Comprimir com gzip" }));
    await view.user.click(screen.getByText("Colunas e dados pessoais"));
    await view.user.click(screen.getByRole("checkbox", { name: "Identificador" }));
    await view.user.click(screen.getByRole("checkbox", { name: "CPF" }));
    await waitFor(() => expect(view.at()).toContain("format=ndjson"));
    await view.user.click(await screen.findByRole("button", { name: "Exportar 508 registros" }));
    await waitFor(() => expect(posted(view)).toHaveLength(1));
    expect(posted(view)[0]!.body).toEqual({
      format: "ndjson",
      filters: { level: ["error"], "metadata.a.b": "c" },
      date_range: { start: "2026-11-24T11:00:00.000Z", end: "2026-11-24T12:00:00.000Z" },
      columns: columns.filter((column) => column !== "id"),
      gzip: true,
      mask: ["cpf"],
      timezone: "America/Sao_Paulo",
    });
    expect(posted(view)[0]!.headers.get("idempotency-key")).toBeTruthy();
  });

  it("tries again with the same request and key what was not answered", async () => {
    let answers = 0;
    const view = at("?range=1h", {
      "POST /api/logs/export": () =>
        answers++ === 0 ? problem(503, { detail: "O Postgres não responde." }) : job(),
    });
    const submit = () => screen.getByRole("button", { name: "Exportar 508 registros" });
    await screen.findByText("508 registros");
    await view.user.click(submit());
    expect(await screen.findByText("O Postgres não responde.")).toBeInTheDocument();
    await view.user.click(submit());
    await waitFor(() => expect(posted(view)).toHaveLength(2));
    await screen.findByText("O arquivo está pronto");
    await view.user.click(submit());
    await waitFor(() => expect(posted(view)).toHaveLength(3));
    const [first, second, third] = posted(view);
    const key = (call = first) => call!.headers.get("idempotency-key");
    expect(second!.body).toEqual(first!.body);
    expect(key(second)).toBe(key(first));
    expect(key(third)).not.toBe(key(first));
  });

  it("has nothing to make of an empty search, and says so", async () => {
    const view = at("", { "GET /api/logs/histogram": counted(0) });
    await screen.findByText("nenhum registro");
    const submit = screen.getByRole("button", { name: "Exportar" });
    expect(submit).toHaveAccessibleDescription("Não há registros para exportar");
    await view.user.click(submit);
    expect(posted(view)).toEqual([]);
  });

  it("says that counting failed, and exports nonetheless", async () => {
    at("", { "GET /api/logs/histogram": problem(422, { detail: "A expressão não fecha um parêntese." }) });
    expect(await screen.findByText("A expressão não fecha um parêntese.")).toBeInTheDocument();
  });

  it("does not compress what is compressed", async () => {
    at("?format=parquet&gzip=true");
    const box = await screen.findByRole("checkbox", { name: "Comprimir com gzip" });
    expect(box).toBeDisabled();
    expect(box).not.toBeChecked();
  });
});

describe("the files", () => {
  it("keep their places while they load", async () => {
    at("", { "GET /api/logs/exports": never });
    expect((await screen.findAllByText("Carregando…")).length).toBeGreaterThan(0);
  });

  it("say that there is none yet", async () => {
    at("");
    expect(await screen.findByText("Nenhuma exportação ainda")).toBeInTheDocument();
  });

  it("say why they could not be loaded", async () => {
    at("", { "GET /api/logs/exports": problem(403, { detail: "Falta a permissão logs.read." }) });
    expect(await screen.findByText("Falta a permissão logs.read.")).toBeInTheDocument();
  });

  it("have a link, what they hold and when they are gone", async () => {
    at("", { "GET /api/logs/exports": page([job()]) });
    const link = await screen.findByRole("link", { name: "Baixar logs-20261124T120000Z.csv" });
    expect(link).toHaveAttribute("href", "/files/logs.csv");
    expect(screen.getByText(/508 registros · 114/)).toBeInTheDocument();
    expect(screen.getByText(/Nível: erro/)).toBeInTheDocument();
    expect(screen.getByText(/O link expira em 58 minutos/)).toBeInTheDocument();
  });

  it("show how far one is that is being made", async () => {
    const running = job({
      status: "running",
      rows_done: 250_000,
      rows_expected: 1_000_000,
      row_count: null,
      size_bytes: null,
      download_url: null,
      completed_at: null,
    });
    at("", { "GET /api/logs/exports": page([running]) });
    expect(await screen.findByRole("progressbar")).toHaveAttribute("aria-valuenow", "25");
    expect(screen.getByText("250.000 de 1.000.000 registros")).toBeInTheDocument();
    expect(screen.queryByRole("link", { name: /^Baixar/ })).not.toBeInTheDocument();
  });

  it("can be stopped while they are made", async () => {
    const waiting = job({ status: "running", row_count: null, size_bytes: null, download_url: null });
    const error = { code: "canceled", message: "canceled" };
    let stopped = false;
    const now = () => (stopped ? { ...waiting, status: "failed" as const, error } : waiting);
    const view = at("", {
      "GET /api/logs/exports": () => page([now()]),
      [`POST /api/logs/exports/${waiting.export_id}/cancel`]: () => {
        stopped = true;
        return Response.json(now(), { status: 202 });
      },
    });
    await view.user.click(await screen.findByRole("button", { name: /^Parar a exportação/ }));
    expect(await screen.findByText("Parada")).toBeInTheDocument();
    expect(screen.queryByRole("progressbar")).not.toBeInTheDocument();
  });

  it("say why one failed, and that one was removed", async () => {
    const error = { code: "unavailable", message: "O armazenamento não respondeu.", hint: "Tente de novo." };
    at("", {
      "GET /api/logs/exports": page([
        job({ export_id: "f", status: "failed", success: false, error, download_url: null }),
        job({ export_id: "g", download_url: null, expires_at: null }),
      ]),
    });
    const files = await screen.findByRole("region", { name: "Arquivos" });
    const items = await within(files).findAllByRole("listitem");
    expect(items[0]).toHaveTextContent("O armazenamento não respondeu. Tente de novo.");
    expect(items[1]).toHaveTextContent("Arquivo removido");
  });
});

describe("what a file will be", () => {
  const choices = (over: Partial<Choices> = {}): Choices => ({
    format: "csv",
    cols: [],
    mask: [],
    gzip: false,
    ...over,
  });

  it.each([
    [{ format: "pdf" as const }, 5_000, []],
    [{ format: "pdf" as const }, 5_001, [{ key: "export.pdf_limit", count: 1 }]],
    [{}, 20_000, []],
    [{}, 20_001, [{ key: "export.worker", count: 20_001 }]],
  ])("%o of %d", (over, total, notes) => expect(notesOf(total, choices(over))).toEqual(notes));

  it("is as large as its cells, quotes doubled", () => {
    expect(sizeOf(log, choices({ cols: ["level", "message"] }))).toBe('error,"a ""b"""\r\n'.length);
    expect(sizeOf(log, choices({ format: "ndjson", cols: ["level"] }))).toBe('{"level":"error"}\n'.length);
  });

  it("can be asked for again", () => {
    const again = new URLSearchParams(
      againOf(job({ file_name: "x.csv.gz", filters: { source: ["a,b", "c"], "metadata.k": "v" } })).slice(1),
    );
    expect(Object.fromEntries(again)).toEqual({ format: "csv", from: "a%2Cb,c", meta: "k=v", gzip: "true" });
  });
});
