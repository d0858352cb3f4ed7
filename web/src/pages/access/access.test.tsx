import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { ApiKey } from "@/api/access";
import { admin, ago, summary, viewer } from "@/test/fixtures";
import { type Handlers, never, open, problem } from "@/test/stub";
import { stateOf } from "./key-list";

const key = (over: Partial<ApiKey> = {}): ApiKey => ({
  id: "00000000-0000-4000-8000-0000000000f1",
  name: "logs da loja",
  prefix: "gk_0123456789abcdef",
  role: "sender",
  made_by: "ana@example.com",
  created_at: ago(86_400),
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
  logs_per_minute: null,
  ...over,
});
const page = (items: ApiKey[], next: string | null = null) => ({
  items,
  next_cursor: next,
  has_more: next !== null,
});
const path = "/api/access/api-keys";
const keeper = { ...admin, permissions: [...admin.permissions, "access.write" as const] };
const at = (answer: Handlers[string], more: Handlers = {}, query = "") =>
  open(
    `/admin/settings/access${query}`,
    { "GET /api/backup/summary": summary(), [`GET ${path}`]: answer, ...more },
    { user: keeper },
  );

describe("the API keys", () => {
  it("keep their places while they load", async () => {
    at(never);
    expect(await screen.findByText("Carregando…")).toBeInTheDocument();
  });

  it("say why they could not be loaded", async () => {
    at(problem(503, { detail: "O Postgres não responde." }));
    expect(await screen.findByText("O Postgres não responde.")).toBeInTheDocument();
  });

  it("say what to do when there is none", async () => {
    at(page([]));
    expect(await screen.findByText("Ainda não há chaves de API")).toBeInTheDocument();
  });

  it("are not asked for by who may not see them", async () => {
    const view = open("/admin/settings/access", { "GET /api/backup/summary": summary() }, { user: viewer });
    expect(await screen.findByText("As chaves de API são para administradores")).toBeInTheDocument();
    expect(view.calls.some((call) => call.path === path)).toBe(false);
  });

  it("are made with the least role first, and shown once", async () => {
    const secret = `gk_0123456789abcdef_${"e".repeat(64)}`;
    const view = at(
      page([]),
      {
        [`POST ${path}`]: () => Response.json({ ...key(), key: secret }, { status: 201 }),
      },
      "?new=true",
    );
    const dialog = await screen.findByRole("dialog");
    await view.user.click(within(dialog).getByRole("button", { name: "Criar a chave" }));
    expect(await within(dialog).findByText("Dê um nome à chave.")).toBeInTheDocument();
    await view.user.type(within(dialog).getByRole("textbox", { name: "Nome" }), "logs da loja");
    await view.user.type(within(dialog).getByRole("textbox", { name: /por minuto/ }), "500");
    await view.user.click(within(dialog).getByRole("button", { name: "Criar a chave" }));
    expect(await screen.findByText(secret)).toBeInTheDocument();
    const sent = view.calls.find((call) => call.method === "POST" && call.path === path)!;
    expect(sent.body).toMatchObject({ name: "logs da loja", role: "sender", logs_per_minute: 500 });
    expect(sent.headers.get("idempotency-key")).toBeTruthy();
    await view.user.click(screen.getByRole("button", { name: "Já copiei" }));
    await waitFor(() => expect(screen.queryByText(secret)).not.toBeInTheDocument());
    expect(view.at()).toBe("/admin/settings/access");
  });

  it("are revoked only when asked twice", async () => {
    const view = at(page([key(), key({ id: "x", name: "velha", revoked_at: ago(60) })]), {
      [`DELETE ${path}/${key().id}`]: () => new Response(null, { status: 204 }),
    });
    await view.user.click(await screen.findByRole("button", { name: "Revogar logs da loja" }));
    expect(screen.queryByRole("button", { name: "Revogar velha" })).not.toBeInTheDocument();
    expect(view.calls.some((call) => call.method === "DELETE")).toBe(false);
    const dialog = await screen.findByRole("dialog");
    expect(within(dialog).getByRole("button", { name: "Cancelar" })).toHaveFocus();
    await view.user.click(within(dialog).getByRole("button", { name: "Revogar" }));
    expect(await screen.findByText("“logs da loja” foi revogada")).toBeInTheDocument();
    expect(view.calls.filter((call) => call.method === "DELETE")).toHaveLength(1);
  });

  it("are active, expired or revoked", () => {
    const now = Date.parse("2026-11-24T12:00:00Z");
    expect(stateOf(key(), now)).toBe("active");
    expect(stateOf(key({ expires_at: "2026-11-24T12:00:00Z" }), now)).toBe("expired");
    expect(stateOf(key({ expires_at: "2026-11-24T12:00:01Z" }), now)).toBe("active");
    expect(
      stateOf(key({ expires_at: "2026-11-24T11:00:00Z", revoked_at: "2026-11-23T12:00:00Z" }), now),
    ).toBe("revoked");
  });
});
