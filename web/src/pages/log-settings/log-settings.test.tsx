import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { LogSettings } from "@/api/log-settings";
import { summary, viewer } from "@/test/fixtures";
import { type Handlers, never, open, problem } from "@/test/stub";
import { fieldOf, fromForm, toForm, twinOf } from "./form";

const settings = (over: Partial<LogSettings> = {}): LogSettings => ({
  text_search: { config: "portuguese", fold_accents: false },
  entries_per_minute: 1_200_000,
  hot_days: 45,
  retention: [{ days: 90 }, { level: "debug", days: 7 }, { source: "audit", days: null }],
  masking: { "*": ["email"], shop: [] },
  ...over,
});
const tagged = (body: LogSettings, etag = '"7"') => Response.json(body, { headers: { etag } });
const path = "/api/settings/logs";
const at = (answer: Handlers[string], more: Handlers = {}, options?: Parameters<typeof open>[2]) =>
  open(
    "/admin/settings/logs",
    { "GET /api/backup/summary": summary(), [`GET ${path}`]: answer, ...more },
    options,
  );
const put = (view: ReturnType<typeof at>) => view.calls.filter((call) => call.method === "PUT");

describe("the settings of logs", () => {
  it("keep their places while they load", async () => {
    at(never);
    expect(await screen.findByText("Carregando…")).toBeInTheDocument();
  });

  it("say why they could not be loaded", async () => {
    at(problem(503, { detail: "O Postgres não responde." }));
    expect(await screen.findByText("O Postgres não responde.")).toBeInTheDocument();
  });

  it("are saved as a whole, over the version that was read", async () => {
    const view = at(() => tagged(settings()), { [`PUT ${path}`]: () => tagged(settings(), '"8"') });
    const days = await screen.findByRole("textbox", { name: "Dias da regra 2" });
    const save = screen.getByRole("button", { name: "Salvar" });
    expect(save).toHaveAccessibleDescription("Nada mudou");
    await view.user.clear(days);
    await view.user.type(days, "14");
    const general = screen.getByRole("group", { name: "O que é mascarado: Todas as outras fontes" });
    await view.user.click(within(general).getByRole("checkbox", { name: "CPF" }));
    await view.user.click(screen.getByRole("checkbox", { name: "Ignorar acentos" }));
    await view.user.click(screen.getByRole("button", { name: "Salvar" }));
    await waitFor(() => expect(put(view)).toHaveLength(1));
    expect(put(view)[0]!.headers.get("if-match")).toBe('"7"');
    expect(put(view)[0]!.body).toEqual({
      text_search: { config: "portuguese", fold_accents: true },
      entries_per_minute: 1_200_000,
      hot_days: 45,
      retention: [
        { source: null, level: null, days: 90 },
        { source: null, level: "debug", days: 14 },
        { source: "audit", level: null, days: null },
      ],
      masking: { "*": ["email", "cpf"], shop: [] },
    });
    expect(await screen.findByText("Configurações salvas")).toBeInTheDocument();
  });

  it("refuse what cannot be, before asking", async () => {
    const view = at(() => tagged(settings()));
    const days = await screen.findByRole("textbox", { name: "Dias da regra 1" });
    await view.user.clear(days);
    await view.user.type(days, "sete");
    await view.user.click(screen.getByRole("button", { name: "Adicionar regra" }));
    await view.user.click(screen.getByRole("button", { name: "Salvar" }));
    expect(await screen.findByText(/Use um número inteiro de 1 a 36\.500/)).toBeInTheDocument();
    expect(screen.getByText("Já há uma regra para esta fonte e este nível.")).toBeInTheDocument();
    expect(put(view)).toEqual([]);
  });

  it("put the API's complaint at its field", async () => {
    const view = at(() => tagged(settings()), {
      [`PUT ${path}`]: problem(422, {
        errors: [{ field: "text_search.config", code: "unknown", message: "não existe essa configuração" }],
      }),
    });
    const config = await screen.findByRole("combobox", { name: "Configuração do PostgreSQL" });
    await view.user.clear(config);
    await view.user.type(config, "klingon");
    await view.user.click(screen.getByRole("button", { name: "Salvar" }));
    await waitFor(() => expect(config).toHaveAccessibleDescription(/não existe essa configuração/));
  });

  it("do not overwrite what somebody else saved meanwhile", async () => {
    let reads = 0;
    const view = at(
      () => (reads++ ? tagged(settings({ entries_per_minute: 5 }), '"9"') : tagged(settings())),
      {
        [`PUT ${path}`]: problem(412, { detail: "As configurações mudaram." }),
      },
    );
    const limit = await screen.findByRole("textbox", { name: "Registros por minuto" });
    await view.user.clear(limit);
    await view.user.type(limit, "99");
    await view.user.click(screen.getByRole("button", { name: "Salvar" }));
    await view.user.click(await screen.findByRole("button", { name: "Carregar as atuais" }));
    await waitFor(() =>
      expect(screen.getByRole("textbox", { name: "Registros por minuto" })).toHaveValue("5"),
    );
  });

  it("keep what is being typed when a newer version is read in the background", async () => {
    let reads = 0;
    const view = at(() => tagged(settings(), `"${++reads}"`));
    const limit = await screen.findByRole("textbox", { name: "Registros por minuto" });
    await view.user.clear(limit);
    await view.user.type(limit, "99");
    await view.services.queries.refetchQueries({ queryKey: ["logs", "settings"] });
    expect(reads).toBe(2);
    expect(screen.getByRole("textbox", { name: "Registros por minuto" })).toHaveValue("99");
  });

  it("say that an index is being built", async () => {
    at(() => tagged(settings({ text_search_being_prepared: { config: "simple", fold_accents: true } })));
    expect(
      await screen.findByText(/O índice para simple, sem acentos, está sendo construído/),
    ).toBeInTheDocument();
    expect(screen.getByRole("checkbox", { name: "Ignorar acentos" })).toBeChecked();
  });

  it("are only read by those who may not change them", async () => {
    at(() => tagged(settings()), {}, { user: viewer });
    expect(
      await screen.findByText(/^Só leitura\. O seu papel não tem a permissão logs\.manage/),
    ).toBeInTheDocument();
    expect(screen.getByRole("textbox", { name: "Registros por minuto" })).toHaveAttribute("readonly");
    expect(screen.queryByRole("button", { name: "Salvar" })).not.toBeInTheDocument();
  });
});

describe("the form of the settings", () => {
  it("goes there and back", () => {
    const all = settings();
    expect(fromForm(toForm(all))).toEqual({
      ...all,
      retention: all.retention.map((rule) => ({ source: null, level: null, ...rule })),
    });
    expect(fromForm(toForm(settings({ masking: {} }))).masking).toEqual({});
  });

  it("knows where the API's fields are", () => {
    const form = toForm(settings());
    expect(fieldOf("retention[1].days", form)).toBe("retention.1.days");
    expect(fieldOf("retention[2]", form)).toBe("retention.2.source");
    expect(fieldOf("masking.shop", form)).toBe("masking.1.source");
    expect(fieldOf("masking", form)).toBeNull();
  });

  it("finds a rule that is there twice", () => {
    const rules = toForm(
      settings({ retention: [{ days: 1 }, { level: "debug", days: 2 }, { days: 3 }] }),
    ).retention;
    expect([0, 1, 2].map((i) => twinOf(rules, i))).toEqual([-1, -1, 0]);
  });
});
