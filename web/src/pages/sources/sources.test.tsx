import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Source } from "@/api/types";
import { admin, shop, summary, viewer } from "@/test/fixtures";
import { type Handlers, open, problem } from "@/test/stub";

const one = `/api/sources/${shop.id}`;
const source = (over: Partial<Source["settings"]> = {}): Source => ({
  ...shop,
  settings: {
    jobs: 4,
    compression: "zstd",
    exclude: ["public.tmp_*"],
    lock_timeout_seconds: 60,
    strict: true,
    preset: "supabase",
    managed_data: ["auth", "vault"],
    ...over,
  },
});
const tagged = (body: Source, etag = '"5"') => Response.json(body, { headers: { etag } });
const at = (handlers: Handlers = {}, path = "/admin/settings/sources", user = admin) =>
  open(
    path,
    {
      "GET /api/backup/summary": summary(),
      "GET /api/sources": { items: [source()], next_cursor: null, has_more: false },
      [`GET ${one}`]: () => tagged(source()),
      ...handlers,
    },
    { user },
  );
const asked = (view: ReturnType<typeof at>, method: string, path: string) =>
  view.calls.filter((call) => call.method === method && call.path === path);

describe("the page of databases", () => {
  it("says how each is backed up", async () => {
    at();
    const list = await screen.findByRole("list", { name: "Bancos" });
    expect(list).toHaveTextContent("guarda@db.example.com:5432/shop");
    expect(list).toHaveTextContent(
      "Plataforma: Supabase · com as linhas de auth, vault · falha em vez de deixar lacunas · 4 conexões · sem public.tmp_*",
    );
  });

  it("changes one over the version that was read, and keeps what the form does not show", async () => {
    const view = at(
      { [`PUT ${one}`]: () => tagged(source(), '"6"') },
      `/admin/settings/sources?edit=${shop.id}`,
    );
    const dialog = await screen.findByRole("dialog", { name: "Mudar o banco" });
    await view.user.click(
      await within(dialog).findByRole("checkbox", { name: "Falhar em vez de deixar lacunas" }),
    );
    await view.user.click(within(dialog).getByRole("checkbox", { name: "storage" }));
    await view.user.click(within(dialog).getByRole("button", { name: "Salvar" }));
    await waitFor(() => expect(asked(view, "PUT", one)).toHaveLength(1));
    const put = asked(view, "PUT", one)[0]!;
    expect(put.headers.get("if-match")).toBe('"5"');
    // No address was typed: the stored one stays.
    expect(put.body).toEqual({
      name: "loja",
      kind: "postgres",
      is_default: true,
      settings: { ...source().settings, strict: false, managed_data: ["auth", "storage", "vault"] },
    });
    await waitFor(() => expect(view.at()).toBe("/admin/settings/sources"));
  });

  it("offers what is there now when somebody else saved meanwhile", async () => {
    let reads = 0;
    const view = at(
      {
        [`GET ${one}`]: () => (reads++ ? tagged(source({ jobs: 9 }), '"7"') : tagged(source())),
        [`PUT ${one}`]: problem(412, { detail: "mudou" }),
      },
      `/admin/settings/sources?edit=${shop.id}`,
    );
    await view.user.click(await screen.findByRole("button", { name: "Salvar" }));
    expect(await screen.findByText("mudou")).toBeInTheDocument();
    await view.user.click(screen.getByRole("button", { name: "Tentar de novo" }));
    await waitFor(() => expect(screen.getByLabelText("Conexões em paralelo")).toHaveValue("9"));
  });

  it("puts the API's complaint at its field", async () => {
    const view = at(
      {
        [`PUT ${one}`]: problem(422, {
          errors: [{ field: "dsn", code: "invalid", message: "não é um endereço" }],
        }),
      },
      `/admin/settings/sources?edit=${shop.id}`,
    );
    const dsn = await screen.findByLabelText("Outro endereço de conexão (opcional)");
    await view.user.type(dsn, "x");
    await view.user.click(screen.getByRole("button", { name: "Salvar" }));
    await waitFor(() => expect(dsn).toHaveAccessibleDescription(/não é um endereço/));
  });

  it("tests one when asked to", async () => {
    const view = at({
      [`POST ${one}/test`]: {
        ok: false,
        checks: [{ name: "connect", status: "failed", message: "sem resposta", hint: "confira o firewall" }],
      },
    });
    await view.user.click(await screen.findByRole("button", { name: "Testar loja" }));
    const dialog = await screen.findByRole("dialog", { name: "Testando loja" });
    expect(await within(dialog).findByText("confira o firewall")).toBeInTheDocument();
    expect(asked(view, "POST", `${one}/test`)).toHaveLength(1);
  });

  it("is forgotten after asking, and says why it cannot be", async () => {
    const view = at({ [`DELETE ${one}`]: problem(409, { detail: "há agendamentos dele" }) });
    await view.user.click(await screen.findByRole("button", { name: "Esquecer loja" }));
    const dialog = await screen.findByRole("dialog", { name: "Esquecer “loja”?" });
    expect(asked(view, "DELETE", one)).toEqual([]);
    await view.user.click(within(dialog).getByRole("button", { name: "Esquecer" }));
    expect(await within(dialog).findByText("há agendamentos dele")).toBeInTheDocument();
  });

  it("is only read by those who may not change it", async () => {
    const view = at({}, "/admin/settings/sources", viewer);
    await view.user.click(await screen.findByRole("button", { name: "Mudar loja" }));
    await view.user.click(screen.getByRole("button", { name: "Testar loja" }));
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(screen.queryByRole("link", { name: "Adicionar banco" })).not.toBeInTheDocument();
  });

  it("says why they could not be loaded", async () => {
    at({ "GET /api/sources": problem(403, { detail: "não pode" }) });
    expect(await screen.findByText("não pode")).toBeInTheDocument();
  });
});
