import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Schedule } from "@/api/schedules";
import { admin, ago, brief, done, running, shop, summary, viewer } from "@/test/fixtures";
import { type Handlers, never, open, problem } from "@/test/stub";

const id = "00000000-0000-4000-8000-0000000000c1";
const one = `/api/backup/schedules/${id}`;
const soon = (seconds: number) => ago(-seconds);

const schedule = (over: Partial<Schedule> = {}): Schedule => ({
  id,
  name: "Toda noite",
  cron_expression: "0 2 * * *",
  backup_type: "full",
  source_id: null,
  source_name: "loja",
  configuration: {
    compression: true,
    timezone: "America/Sao_Paulo",
    overlap: "queue",
    retention: { keep_last: 7 },
  },
  active: true,
  next_run: soon(7_300),
  next_runs: [1, 2, 3, 4, 5].map((n) => soon(n * 7_300)),
  last_execution: brief(done()),
  created_at: ago(1_000),
  updated_at: ago(1_000),
  ...over,
});
const tagged = (body: Schedule, etag = '"3"') => Response.json(body, { headers: { etag } });
const listOf = (...items: Schedule[]) => ({ items, next_cursor: null, has_more: false });
const writer = {
  ...admin,
  permissions: [...admin.permissions, "schedules.write"],
};
const at = (handlers: Handlers, path = "/admin/backup/manage", user = writer) =>
  open(
    path,
    {
      "GET /api/backup/summary": summary(),
      "GET /api/backup/schedules": listOf(schedule()),
      [`GET ${one}`]: () => tagged(schedule()),
      ...handlers,
    },
    { user },
  );
const asked = (view: ReturnType<typeof at>, method: string, path: string) =>
  view.calls.filter((call) => call.method === method && call.path === path);

describe("the page of schedules", () => {
  it("says when, where, what happens on overlap, what is next and what was last", async () => {
    at({});
    const list = await screen.findByRole("list", { name: "Agendamentos" });
    expect(list).toHaveTextContent("Todo dia às 02:00 · America/Sao Paulo");
    expect(list).toHaveTextContent("Completo · loja · espera se a anterior ainda corre");
    expect(list).toHaveTextContent("próxima em 2 horas");
    expect(within(list).getAllByRole("listitem", { hidden: true }).length).toBe(6);
    expect(within(list).getByRole("link")).toHaveAttribute("href", `/admin/backup/history?run=${done().id}`);
  });

  it("makes one, with what was chosen", async () => {
    const view = at(
      {
        "POST /api/backup/schedules": () =>
          Response.json(schedule({ name: "Aos domingos" }), { status: 201 }),
      },
      "/admin/backup/manage?edit=new",
    );
    const dialog = await screen.findByRole("dialog", { name: "Novo agendamento" });
    await view.user.type(within(dialog).getByLabelText("Nome"), "Aos domingos");
    await view.user.click(within(dialog).getByRole("combobox", { name: /^Frequência/ }));
    await view.user.click(await screen.findByRole("option", { name: "Toda semana" }));
    const zone = within(dialog).getByLabelText("Fuso horário");
    await view.user.clear(zone);
    await view.user.type(zone, "Europe/Berlin");
    await view.user.type(within(dialog).getByLabelText(/^Tabelas/), "public.a, b.*");
    expect(dialog).toHaveTextContent("Toda semana, domingo às 02:00 · Europe/Berlin");
    await view.user.click(within(dialog).getByRole("button", { name: "Salvar" }));
    await waitFor(() => expect(asked(view, "POST", "/api/backup/schedules")).toHaveLength(1));
    const post = asked(view, "POST", "/api/backup/schedules")[0]!;
    expect(post.headers.get("idempotency-key")).toBeTruthy();
    expect(post.body).toEqual({
      name: "Aos domingos",
      cron_expression: "0 2 * * 0",
      backup_type: "full",
      source_id: null,
      active: true,
      configuration: { overlap: "skip", timezone: "Europe/Berlin", tables: ["public.a", "b.*"] },
    });
    await waitFor(() => expect(view.at()).toBe("/admin/backup/manage"));
  });

  it("refuses what cannot be, before asking", async () => {
    const view = at({}, "/admin/backup/manage?edit=new");
    const dialog = await screen.findByRole("dialog");
    const zone = within(dialog).getByLabelText("Fuso horário");
    await view.user.clear(zone);
    await view.user.type(zone, "Marte/Olimpo");
    await view.user.type(within(dialog).getByLabelText(/^Recuperar/), "sempre");
    await view.user.click(within(dialog).getByRole("button", { name: "Salvar" }));
    expect(await within(dialog).findByText("Dê um nome ao agendamento.")).toBeInTheDocument();
    expect(within(dialog).getByText(/Não há este fuso/)).toBeInTheDocument();
    expect(within(dialog).getByText(/Use um número inteiro de 0 a 8\.784/)).toBeInTheDocument();
    expect(asked(view, "POST", "/api/backup/schedules")).toEqual([]);
  });

  it("changes one over the version that was read, and keeps what the form does not show", async () => {
    const view = at({ [`PUT ${one}`]: () => tagged(schedule(), '"4"') }, `/admin/backup/manage?edit=${id}`);
    const name = await screen.findByDisplayValue("Toda noite");
    await view.user.clear(name);
    await view.user.type(name, "De madrugada");
    await view.user.click(screen.getByRole("button", { name: "Salvar" }));
    await waitFor(() => expect(asked(view, "PUT", one)).toHaveLength(1));
    const put = asked(view, "PUT", one)[0]!;
    expect(put.headers.get("if-match")).toBe('"3"');
    expect(put.body).toEqual({
      name: "De madrugada",
      cron_expression: "0 2 * * *",
      backup_type: "full",
      source_id: null,
      active: true,
      configuration: schedule().configuration,
    });
  });

  it("puts the API's complaint at its field", async () => {
    const view = at(
      {
        [`PUT ${one}`]: problem(422, {
          errors: [{ field: "cron_expression", code: "cron", message: "nunca acontece" }],
        }),
        [`GET ${one}`]: () => tagged(schedule({ cron_expression: "0 0 31 2 *" })),
      },
      `/admin/backup/manage?edit=${id}`,
    );
    const cron = await screen.findByDisplayValue("0 0 31 2 *");
    await view.user.click(screen.getByRole("button", { name: "Salvar" }));
    await waitFor(() => expect(cron).toHaveAccessibleDescription(/nunca acontece/));
  });

  it("is switched off and on without touching anything else", async () => {
    const view = at({ [`PUT ${one}`]: () => tagged(schedule({ active: false }), '"4"') });
    await view.user.click(await screen.findByRole("switch", { name: "Toda noite ligado" }));
    await waitFor(() => expect(asked(view, "PUT", one)).toHaveLength(1));
    expect(asked(view, "PUT", one)[0]!.body).toMatchObject({
      active: false,
      configuration: schedule().configuration,
    });
    expect(await screen.findByText("“Toda noite” está desligado")).toBeInTheDocument();
  });

  it("runs one now, and says which run is in the way", async () => {
    const view = at({
      [`POST ${one}/run`]: problem(409, { detail: "já há uma execução", backup_id: running().id }),
    });
    await view.user.click(await screen.findByRole("button", { name: "Executar Toda noite agora" }));
    expect(await screen.findByText("já há uma execução")).toBeInTheDocument();
    await view.user.click(screen.getByRole("button", { name: "Acompanhar" }));
    await waitFor(() => expect(view.at()).toContain(`run=${running().id}`));
  });

  it("is removed after asking", async () => {
    const view = at({ [`DELETE ${one}`]: () => new Response(null, { status: 204 }) });
    await view.user.click(await screen.findByRole("button", { name: "Remover Toda noite" }));
    const dialog = await screen.findByRole("dialog", { name: "Remover “Toda noite”?" });
    expect(asked(view, "DELETE", one)).toEqual([]);
    await view.user.click(within(dialog).getByRole("button", { name: "Remover" }));
    await waitFor(() => expect(asked(view, "DELETE", one)).toHaveLength(1));
  });

  it("tells none at all from none of this database", async () => {
    at({ "GET /api/backup/schedules": listOf() });
    expect(await screen.findByText("Nenhum agendamento ainda")).toBeInTheDocument();
  });

  it("asks for those of the chosen database", async () => {
    const view = at({ "GET /api/backup/schedules": listOf() }, `/admin/backup/manage?source=${shop.id}`);
    expect(await screen.findByText("Nenhum agendamento é só deste banco")).toBeInTheDocument();
    expect(asked(view, "GET", "/api/backup/schedules")[0]!.url.searchParams.get("source_id")).toBe(shop.id);
  });

  it("says why they could not be loaded", async () => {
    at({ "GET /api/backup/schedules": problem(403, { detail: "não pode" }) });
    expect(await screen.findByText("não pode")).toBeInTheDocument();
  });

  it("keeps its places while it loads", async () => {
    at({ "GET /api/backup/schedules": never });
    expect(await screen.findByText("Carregando…")).toBeInTheDocument();
  });

  it("is only read by those who may not change it", async () => {
    const view = at({}, "/admin/backup/manage", viewer);
    const on = await screen.findByRole("switch", { name: "Toda noite ligado" });
    expect(on).toHaveAttribute("aria-disabled", "true");
    await view.user.click(on);
    await view.user.click(screen.getByRole("button", { name: "Novo agendamento" }));
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(asked(view, "PUT", one)).toEqual([]);
  });
});
