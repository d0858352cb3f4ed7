import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { brief, done, noSources, running, shop, summary, viewer } from "@/test/fixtures";
import { type Handlers, never, open, problem } from "@/test/stub";
import { parsePatterns } from "./patterns";

const get = "GET /api/backup/summary";
const execute = "POST /api/backup/execute";
const started = { success: true, backup_id: running().id, size: 0, duration: 0, status: "running" };
const at = (answer: Handlers[string], more: Handlers = {}, options?: Parameters<typeof open>[2]) =>
  open("/admin/backup", { [get]: answer, ...more }, options);

describe("the backup page", () => {
  it("keeps its places while it loads", async () => {
    at(never);
    expect(await screen.findByText("Última cópia boa")).toBeInTheDocument();
    expect(screen.getAllByText("Carregando…").length).toBeGreaterThan(0);
  });

  it("shows the first steps when there is no database", async () => {
    const page = at(noSources);
    expect(await screen.findByRole("heading", { name: "Nada está protegido ainda" })).toBeInTheDocument();
    await page.user.click(screen.getByRole("button", { name: "Adicionar um banco de dados" }));
    expect(await screen.findByRole("dialog", { name: "Adicionar um banco de dados" })).toBeInTheDocument();
    expect(page.at()).toBe("/admin/backup?dialog=source");
  });

  it("says what went wrong and tries again when asked", async () => {
    let down = true;
    const page = at(() =>
      down ? problem(403, { detail: "Falta permissão.", hint: "Peça a alguém." }) : summary(),
    );
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("Falta permissão.");
    expect(alert).toHaveTextContent("req-42");
    down = false;
    await page.user.click(within(alert).getByRole("button", { name: "Tentar de novo" }));
    expect(await screen.findByRole("heading", { name: /Protegido/ })).toBeInTheDocument();
  });

  it("says how protected everything is", async () => {
    at(summary());
    expect(
      await screen.findByRole("heading", { name: "Protegido: última cópia há 3 horas" }),
    ).toBeInTheDocument();
    expect(screen.getByText("A restauração ainda não foi testada.")).toBeInTheDocument();
    expect(screen.getByText("4 backups")).toBeInTheDocument();
    expect(screen.getByRole("link", { name: "loja" })).toHaveAttribute(
      "href",
      `/admin/backup/history?source=${shop.id}`,
    );
    expect(screen.getByText("loja: última execução; 1 boa, 0 com falha")).toBeInTheDocument();
  });

  it("says when a copy failed", async () => {
    at(summary({ recent: [brief(done()), brief(done({ id: "f", status: "failed" }))] }));
    expect(
      await screen.findByRole("heading", { name: "Atenção: a última cópia de loja falhou" }),
    ).toBeInTheDocument();
  });

  it("shows a running backup with its figures and asks every second", async () => {
    const page = at(summary({ running: running() }));
    const bar = await screen.findByRole("progressbar");
    expect(bar).toHaveAttribute("aria-valuenow", "50");
    const card = screen.getByRole("region", { name: "Backup de loja em andamento" });
    expect(card).toHaveTextContent(/500\sMB \/ 1\sGB/);
    expect(card).toHaveTextContent("1.234.567");
    expect(card).toHaveTextContent(/25\sMB\/s/);
    expect(card).toHaveTextContent(/20\ss/);
    expect(within(card).getByText("Backup de loja: Cópia, 50%")).toHaveAttribute("aria-live", "polite");
    expect(screen.getByRole("button", { name: "Backup de loja agora" })).toHaveAttribute(
      "aria-disabled",
      "true",
    );
    const asked = page.calls.length;
    await waitFor(() => expect(page.calls.length).toBeGreaterThan(asked));
  });
});

describe("back up now", () => {
  it("sends what was chosen, once, with a key of its own", async () => {
    const page = at(summary(), { [execute]: started });
    await page.user.click(await screen.findByRole("button", { name: "Backup de loja agora" }));
    const dialog = await screen.findByRole("dialog", { name: "Fazer backup agora" });
    await page.user.type(within(dialog).getByLabelText(/Tabelas/), "public.pedidos, vendas.*");
    await page.user.click(within(dialog).getByLabelText("Comprimir"));
    await page.user.click(within(dialog).getByRole("button", { name: "Fazer backup agora" }));
    await screen.findByText("O backup começou");
    const sent = page.calls.filter((call) => call.path === "/api/backup/execute");
    expect(sent).toHaveLength(1);
    expect(sent[0]?.body).toEqual({
      type: "full",
      source_id: shop.id,
      compress: false,
      tables: ["public.pedidos", "vendas.*"],
      wait: false,
    });
    expect(sent[0]?.headers.get("idempotency-key")).toMatch(/^[0-9a-f-]{36}$/);
    await waitFor(() => expect(page.at()).toBe("/admin/backup"));
  });

  it("keeps its key when the same request is sent again, and takes a new one for another", async () => {
    const page = at(summary(), {
      [execute]: () =>
        problem(422, {
          detail: "Não existe.",
          errors: [{ field: "tables[0]", code: "unknown", message: "Tabela desconhecida." }],
        }),
    });
    await screen.findByRole("heading", { name: /Protegido/ });
    await page.user.click(screen.getByRole("button", { name: "Fazer backup agora" }));
    const dialog = await screen.findByRole("dialog");
    const send = within(dialog).getByRole("button", { name: "Fazer backup agora" });
    await page.user.click(send);
    expect(await within(dialog).findByText("Tabela desconhecida.")).toBeInTheDocument();
    await page.user.type(within(dialog).getByLabelText(/Tabelas/), "x");
    await page.user.click(send);
    await waitFor(() => expect(keys()).toHaveLength(2));
    await page.user.clear(within(dialog).getByLabelText(/Tabelas/));
    await page.user.type(within(dialog).getByLabelText(/Tabelas/), "x");
    await page.user.click(send);
    await waitFor(() => expect(keys()).toHaveLength(3));
    function keys() {
      return page.calls
        .filter((c) => c.path === "/api/backup/execute")
        .map((c) => c.headers.get("idempotency-key"));
    }
    expect(keys()[0]).not.toBe(keys()[1]);
    expect(keys()[1]).toBe(keys()[2]);
  });

  it("is switched off with its reason for those who may not", async () => {
    const page = at(summary(), {}, { user: viewer });
    const button = await screen.findByRole("button", { name: "Fazer backup agora" });
    expect(button).toHaveAttribute("aria-disabled", "true");
    expect(button).toHaveAccessibleDescription("O seu papel não tem a permissão backup.run.");
    await page.user.click(button);
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  });

  it("reads patterns parted by commas, spaces or lines, and leaves quoted names whole", () => {
    expect(parsePatterns(' public.a, b.*\n"Minha Tabela"."x,y" ')).toEqual([
      "public.a",
      "b.*",
      '"Minha Tabela"."x,y"',
    ]);
    expect(parsePatterns("  ")).toEqual([]);
  });
});

describe("stopping a backup", () => {
  const cancel = `POST /api/backup/executions/${running().id}/cancel`;

  it("asks first, with the focus on going on", async () => {
    const page = at(summary({ running: running() }), { [cancel]: running() });
    await page.user.click(await screen.findByRole("button", { name: "Parar" }));
    const dialog = await screen.findByRole("dialog", { name: "Parar o backup de loja?" });
    await waitFor(() =>
      expect(within(dialog).getByRole("button", { name: "Deixar continuar" })).toHaveFocus(),
    );
    expect(page.calls.some((call) => call.method === "POST")).toBe(false);
    await page.user.click(within(dialog).getByRole("button", { name: "Parar o backup" }));
    await screen.findByText("O backup foi avisado para parar");
    expect(page.calls.filter((call) => call.path.endsWith("/cancel"))).toHaveLength(1);
    await waitFor(() =>
      expect(screen.getByRole("button", { name: "Parando…" })).toHaveAttribute("aria-disabled"),
    );
  });

  it("says when it was too late", async () => {
    const page = at(summary({ running: running() }), { [cancel]: problem(409, { detail: "Já terminou." }) });
    await page.user.click(await screen.findByRole("button", { name: "Parar" }));
    await page.user.click(await screen.findByRole("button", { name: "Parar o backup" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("Já terminou.");
  });
});

describe("adding a database", () => {
  it("adds it, tries it, and leads to the first copy", async () => {
    const page = open("/admin/backup?dialog=source", {
      [get]: summary(),
      "POST /api/sources": Response.json(shop, { status: 201 }),
      [`POST /api/sources/${shop.id}/test`]: {
        ok: true,
        server_version: "15.8",
        size_bytes: 1_000_000,
        checks: [{ name: "connect", status: "ok", message: "em 3 ms" }],
      },
    });
    const dialog = await screen.findByRole("dialog");
    await page.user.type(within(dialog).getByLabelText("Nome"), "Loja");
    await page.user.type(within(dialog).getByLabelText("Endereço de conexão"), "postgres://db/shop");
    await page.user.click(within(dialog).getByRole("button", { name: "Adicionar e testar" }));
    expect(await within(dialog).findByText(/letras minúsculas/)).toBeInTheDocument();
    await page.user.clear(within(dialog).getByLabelText("Nome"));
    await page.user.type(within(dialog).getByLabelText("Nome"), "loja");
    await page.user.click(within(dialog).getByRole("button", { name: "Adicionar e testar" }));
    expect(await screen.findByText("Tudo certo para copiar.")).toBeInTheDocument();
    expect(screen.getByText("em 3 ms")).toBeInTheDocument();
    await page.user.click(screen.getByRole("button", { name: "Fazer a primeira cópia" }));
    await waitFor(() => expect(page.at()).toContain(`run_source=${shop.id}`));
  });

  it("sends what belongs into the backup, and shows the platform that was found", async () => {
    const page = open("/admin/backup?dialog=source", {
      [get]: summary(),
      "POST /api/sources": Response.json(shop, { status: 201 }),
      [`POST /api/sources/${shop.id}/test`]: {
        ok: true,
        server_version: "15.8",
        size_bytes: 1_000_000,
        checks: [],
        preset: {
          name: "supabase",
          detected: "supabase",
          managed_schemas: ["auth", "storage"],
          data_schemas: ["auth", "storage"],
        },
      },
    });
    const dialog = await screen.findByRole("dialog");
    await page.user.type(within(dialog).getByLabelText("Nome"), "loja");
    await page.user.type(within(dialog).getByLabelText("Endereço de conexão"), "postgres://db/shop");
    await page.user.click(within(dialog).getByText("Opções do backup"));
    await page.user.click(within(dialog).getByLabelText("auth"));
    await page.user.click(within(dialog).getByLabelText("Falhar em vez de deixar lacunas"));
    const jobs = within(dialog).getByLabelText("Conexões em paralelo");
    await page.user.clear(jobs);
    await page.user.type(jobs, "33");
    await page.user.click(within(dialog).getByRole("button", { name: "Adicionar e testar" }));
    expect(await within(dialog).findByText("Use um número inteiro de 1 a 32.")).toBeInTheDocument();
    await page.user.clear(jobs);
    await page.user.type(jobs, "8");
    await page.user.click(within(dialog).getByRole("button", { name: "Adicionar e testar" }));
    expect(await screen.findByText(/Parece ser Supabase; .*auth, storage/)).toBeInTheDocument();
    const sent = page.calls.find((call) => call.method === "POST" && call.path === "/api/sources");
    expect(sent?.body).toMatchObject({
      settings: { preset: "auto", strict: true, managed_data: ["auth"], jobs: 8 },
    });
  });
});
