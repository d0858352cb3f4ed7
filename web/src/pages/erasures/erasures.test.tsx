import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { LogErasure } from "@/api/erasures";
import { ago, summary, viewer } from "@/test/fixtures";
import { type Handlers, never, open, problem } from "@/test/stub";
import { shareOf } from "./list";

const person = "6513270e-269e-4d37-b2a7-4de452e6b438";

const erasure = (over: Partial<LogErasure> = {}): LogErasure => ({
  id: "00000000-0000-4000-8000-0000000000f1",
  state: "completed",
  stage: "done",
  user_id: null,
  session_id: null,
  reason: "pedido 123",
  requested_by: "ana@example.com",
  requested_at: ago(3_600),
  completed_at: ago(1_800),
  deleted: { total: 1_234, hot: 1_200, cold: 34, spooled: 0 },
  segments: { total: 3, done: 3, rewritten: 1 },
  last_error: null,
  ...over,
});
const listOf = (...items: LogErasure[]) => ({ items, next_cursor: null, has_more: false });
const found = (total: number) => ({
  logs: [],
  total_count: total,
  total_count_relation: "eq",
  has_more: total > 0,
  next_cursor: null,
});
const at = (handlers: Handlers, path = "/admin/logs/erasures", options?: Parameters<typeof open>[2]) =>
  open(
    path,
    {
      "GET /api/backup/summary": summary(),
      "GET /api/logs/erasures": listOf(),
      "GET /api/logs/search": found(1_234),
      ...handlers,
    },
    options,
  );
const asked = (view: ReturnType<typeof at>, method: string, path: string) =>
  view.calls.filter((call) => call.method === method && call.path === path);

describe("the page of erasures", () => {
  it("counts first, asks for a word, and then erases", async () => {
    const view = at({
      "POST /api/logs/erasures": () => Response.json(erasure({ state: "pending" }), { status: 202 }),
    });
    await view.user.type(await screen.findByLabelText("Pessoa (user_id)"), ` ${person} `);
    await view.user.click(screen.getByRole("button", { name: "Contar os registros" }));
    expect(await screen.findByText("1.234 registros")).toBeInTheDocument();
    expect(view.at()).toBe(`/admin/logs/erasures?user=${person}`);
    const count = asked(view, "GET", "/api/logs/search")[0]!.url.searchParams;
    expect(count.get("user_id")).toBe(person);
    expect(count.get("track_total")).toBe("true");
    // All of them, however old.
    expect(count.has("start_date")).toBe(false);

    await view.user.click(screen.getByRole("button", { name: "Apagar…" }));
    const dialog = await screen.findByRole("dialog", { name: "Apagar 1.234 registros?" });
    await waitFor(() => expect(within(dialog).getByRole("button", { name: "Cancelar" })).toHaveFocus());
    const erase = within(dialog).getByRole("button", { name: "Apagar para sempre" });
    await view.user.click(erase);
    expect(erase).toHaveAttribute("aria-disabled", "true");
    expect(asked(view, "POST", "/api/logs/erasures")).toEqual([]);

    await view.user.type(within(dialog).getByLabelText("Motivo (opcional)"), "pedido 9");
    await view.user.type(within(dialog).getByLabelText("Digite “apagar” para confirmar"), "Apagar");
    await view.user.click(within(dialog).getByRole("button", { name: "Apagar para sempre" }));
    await waitFor(() => expect(asked(view, "POST", "/api/logs/erasures")).toHaveLength(1));
    const post = asked(view, "POST", "/api/logs/erasures")[0]!;
    expect(post.body).toEqual({ user_id: person, reason: "pedido 9" });
    expect(post.headers.get("idempotency-key")).toBeTruthy();
    // Whose it was does not stay in the address.
    await waitFor(() => expect(view.at()).toBe("/admin/logs/erasures"));
    expect(await screen.findByText(/O pedido foi registrado/)).toBeInTheDocument();
  });

  it("refuses what names nobody", async () => {
    const view = at({});
    const field = await screen.findByLabelText("Pessoa (user_id)");
    await view.user.click(screen.getByRole("button", { name: "Contar os registros" }));
    await waitFor(() => expect(field).toHaveAccessibleDescription(/Informe a pessoa, a sessão, ou as duas/));
    await view.user.type(field, "joana");
    await view.user.click(screen.getByRole("button", { name: "Contar os registros" }));
    await waitFor(() => expect(field).toHaveAccessibleDescription(/Use um UUID/));
    expect(asked(view, "GET", "/api/logs/search")).toEqual([]);
  });

  it("goes by a session alone, from a link", async () => {
    const view = at({}, "/admin/logs/erasures?session=sess-7");
    expect(await screen.findByText("1.234 registros")).toBeInTheDocument();
    expect(screen.getByLabelText("Sessão (session_id)")).toHaveValue("sess-7");
    const count = asked(view, "GET", "/api/logs/search")[0]!.url.searchParams;
    expect(count.get("session_id")).toBe("sess-7");
    expect(count.has("user_id")).toBe(false);
  });

  it("says that it was asked for before, and that nothing is found", async () => {
    at(
      { "GET /api/logs/search": found(0), "GET /api/logs/erasures": listOf(erasure()) },
      `/admin/logs/erasures?user=${person}`,
    );
    expect(await screen.findByText(/Nada encontrado agora/)).toBeInTheDocument();
    expect(await screen.findByText(/Já foi pedido em/)).toBeInTheDocument();
  });

  it("says why the entries could not be counted, and offers no button to erase", async () => {
    at(
      { "GET /api/logs/search": problem(422, { detail: "user_id não é um UUID" }) },
      "/admin/logs/erasures?user=joana",
    );
    expect(await screen.findByText("user_id não é um UUID")).toBeInTheDocument();
    expect(screen.queryByRole("button", { name: "Apagar…" })).not.toBeInTheDocument();
  });

  it("keeps the dialog, and the key, when the request fails", async () => {
    let tries = 0;
    const view = at(
      {
        "POST /api/logs/erasures": () =>
          tries++ ? Response.json(erasure(), { status: 202 }) : problem(409, { detail: "ocupado" }),
      },
      `/admin/logs/erasures?user=${person}`,
    );
    await view.user.click(await screen.findByRole("button", { name: "Apagar…" }));
    const dialog = await screen.findByRole("dialog");
    await view.user.type(within(dialog).getByLabelText(/para confirmar/), "apagar{Enter}");
    expect(await within(dialog).findByText("ocupado")).toBeInTheDocument();
    await view.user.click(within(dialog).getByRole("button", { name: "Apagar para sempre" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
    const keys = asked(view, "POST", "/api/logs/erasures").map((call) => call.headers.get("idempotency-key"));
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
  });

  it("shows what was erased, what goes on, and why it does not get on", async () => {
    at({
      "GET /api/logs/erasures": listOf(
        erasure({
          id: "00000000-0000-4000-8000-0000000000f2",
          state: "running",
          stage: "cold",
          user_id: person,
          completed_at: null,
          deleted: { total: 1, hot: 1, cold: 0, spooled: 0 },
          segments: { total: 4, done: 1, rewritten: 0 },
          last_error: "o armazenamento não responde",
        }),
        erasure(),
      ),
    });
    const row = (text: string) => screen.getByText(text).closest("li");
    await screen.findByText("1 registro apagado");
    const going = row("1 registro apagado");
    const done = row("1.234 registros apagados");
    expect(going).toHaveTextContent("o armazenamento não responde");
    expect(going).toHaveTextContent(person);
    expect(within(going!).getByRole("progressbar")).toHaveAttribute("aria-valuenow", "45");
    expect(done).toHaveTextContent("1.200 no Postgres · 34 no arquivo");
    expect(within(done!).queryByRole("progressbar")).not.toBeInTheDocument();
  });

  it("keeps its places while it loads", async () => {
    at({ "GET /api/logs/erasures": never });
    expect(await screen.findByText("Carregando…")).toBeInTheDocument();
  });

  it("says what failed", async () => {
    at({ "GET /api/logs/erasures": problem(403, { detail: "não pode" }) });
    expect(await screen.findByText("não pode")).toBeInTheDocument();
  });

  it("is for administrators", async () => {
    const view = at({}, "/admin/logs/erasures", { user: viewer });
    expect(await screen.findByText("Apagar registros é para administradores")).toBeInTheDocument();
    expect(asked(view, "GET", "/api/logs/erasures")).toEqual([]);
  });
});

it("an erasure's share grows with its stages", () => {
  const stages = ["spool", "hot", "cold", "objects", "last_look", "done"] as const;
  const shares = stages.map((stage) =>
    shareOf(erasure({ stage, segments: { total: 4, done: stage === "cold" ? 2 : 0, rewritten: 0 } })),
  );
  expect(shares).toEqual([0, 0.2, 0.5, 0.6, 0.8, 1]);
});
