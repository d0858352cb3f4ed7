import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { LogPattern, LogPatternDetail } from "@/api/patterns";
import { ago, summary, viewer } from "@/test/fixtures";
import { type Handlers, never, open, problem } from "@/test/stub";

const id = "00000000-0000-4000-8000-0000000000b1";
const pattern = (over: Partial<LogPattern> = {}): LogPattern => ({
  id,
  template: "failed password for <*> from <*>",
  source: "auth",
  level: "warn",
  count: 976,
  share: 0.19,
  first_seen_at: ago(14 * 86_400),
  last_seen_at: ago(120),
  new: false,
  surging: false,
  muted: false,
  surge: { since: null, recent_count: 900, median: 12, mad: 3, score: 296 },
  trend: { start: "2026-11-23T12:00:00Z", interval_seconds: 3_600, counts: [1, 0, 5] },
  sample_log_id: "00000000-0000-4000-8000-0000000000c1",
  ...over,
});
const list = (items: LogPattern[], over = {}) => ({
  items,
  next_cursor: null,
  has_more: false,
  start: "2026-11-23T12:00:00Z",
  end: "2026-11-24T12:00:00Z",
  total_count: 5_182,
  without_pattern: 12,
  exact: true,
  ...over,
});
const detail = (over: Partial<LogPatternDetail> = {}): LogPatternDetail => ({
  ...pattern(),
  links: { logs: `/api/logs/search?pattern_id=${id}`, alert_conditions: [] },
  merged_ids: [],
  sample: { id: "s1", message: "failed password for bob from 10.0.0.1", created_at: ago(60) },
  ...over,
});
const path = "/api/logs/patterns";
const at = (
  search: string,
  answer: Handlers[string],
  more: Handlers = {},
  options?: Parameters<typeof open>[2],
) =>
  open(
    `/admin/logs/patterns${search}`,
    {
      "GET /api/backup/summary": summary(),
      "GET /api/logs/facets": {
        start: "2026-11-23T12:00:00Z",
        end: "2026-11-24T12:00:00Z",
        exact: true,
        total: 3,
        levels: [],
        sources: [{ value: "auth", count: 3 }],
        patterns: [],
      },
      [`GET ${path}`]: answer,
      ...more,
    },
    options,
  );
const asked = (view: ReturnType<typeof at>) =>
  view.calls.filter((call) => call.path === path).at(-1)!.url.searchParams;

describe("the patterns", () => {
  it("keep their places while they load", async () => {
    at("", never);
    expect(await screen.findByText("Carregando…")).toBeInTheDocument();
  });

  it("show template, count, share and what is unusual in words", async () => {
    at("", list([pattern({ new: true, surging: true })]));
    const rows = await screen.findByRole("list", { name: "Padrões" });
    expect(within(rows).getByText("976")).toBeInTheDocument();
    expect(within(rows).getByText("19%")).toBeInTheDocument();
    expect(within(rows).getByText("Novo")).toBeInTheDocument();
    expect(within(rows).getByText("Em alta")).toBeInTheDocument();
    expect(screen.getByText("5.182 registros no período")).toBeInTheDocument();
    expect(screen.getByText(/12 sem padrão/)).toBeInTheDocument();
  });

  it("say that only the newest were counted", async () => {
    at("", list([pattern()], { exact: false }));
    expect(await screen.findByText(/≥ 5\.182 registros/)).toBeInTheDocument();
    expect(screen.getByText(/só os mais novos foram contados/)).toBeInTheDocument();
  });

  it("ask the API what the address says", async () => {
    const view = at(
      "?q=password&status=surging&muted=only&sort=surge&level=warn&from=auth&start=2026-11-24T11:00:00.000Z&end=2026-11-24T12:00:00.000Z",
      list([pattern({ muted: true })]),
    );
    await screen.findByRole("list", { name: "Padrões" });
    const query = asked(view);
    expect(Object.fromEntries(query)).toMatchObject({
      q: "password",
      status: "surging",
      muted: "true",
      sort: "surge",
      level: "warn",
      source: "auth",
      start_date: "2026-11-24T11:00:00.000Z",
      end_date: "2026-11-24T12:00:00.000Z",
    });
  });

  it("leave muted ones away unless they are wanted", async () => {
    const view = at("", list([pattern()]));
    await screen.findByRole("list", { name: "Padrões" });
    expect(asked(view).get("muted")).toBe("false");
    view.unmount();
    const all = at("?muted=show", list([pattern()]));
    await screen.findByRole("list", { name: "Padrões" });
    expect(asked(all).has("muted")).toBe(false);
  });

  it("put search and status into the address", async () => {
    const view = at("", list([pattern()]));
    await view.user.type(await screen.findByRole("searchbox"), "disk full{Enter}");
    await waitFor(() => expect(asked(view).get("q")).toBe("disk full"));
    await view.user.click(screen.getByRole("button", { name: "Novos" }));
    await waitFor(() => expect(view.at()).toContain("status=new"));
    await view.user.click(screen.getByRole("button", { name: "Limpar filtros" }));
    await waitFor(() => expect(view.at()).toBe("/admin/logs/patterns"));
  });

  it("lead to the entries of a pattern in the range that was counted", async () => {
    at("?range=7d&level=warn&sort=surge", list([pattern()]));
    const link = await screen.findByRole("link", { name: /^failed password.*976 registros$/ });
    expect(link).toHaveAttribute("href", `/admin/logs?range=7d&level=warn&pattern=${id}`);
  });

  it("tell nothing there, nothing matching and everything muted apart", async () => {
    const nothing = at("", list([], { total_count: 0, without_pattern: 0 }));
    expect(await screen.findByText("Nenhum padrão neste período")).toBeInTheDocument();
    nothing.unmount();
    const filtered = at("?q=zzz", list([]));
    expect(await screen.findByText("Nenhum padrão corresponde")).toBeInTheDocument();
    filtered.unmount();
    const muted = at("", list([]));
    expect(await screen.findByText("Todos os padrões do período estão silenciados")).toBeInTheDocument();
    await muted.user.click(screen.getByRole("button", { name: "Mostrar os silenciados" }));
    await waitFor(() => expect(muted.at()).toContain("muted=show"));
  });

  it("say what went wrong", async () => {
    at("", problem(503, { detail: "O Postgres não responde.", hint: "Tente daqui a pouco." }));
    expect(await screen.findByRole("alert")).toHaveTextContent("Tente daqui a pouco.");
  });

  it("mute one, and take it back", async () => {
    let muted = false;
    const view = at("", () => list(muted ? [] : [pattern()]), {
      [`PATCH ${path}/${id}`]: () => {
        muted = !muted;
        return detail({ muted });
      },
    });
    await view.user.click(await screen.findByRole("button", { name: /^Silenciar: failed/ }));
    await view.user.click(await screen.findByRole("button", { name: "Desfazer" }));
    await waitFor(() =>
      expect(view.calls.filter((call) => call.method === "PATCH").map((call) => call.body)).toEqual([
        { muted: true },
        { muted: false },
      ]),
    );
  });

  it("say who may mute", async () => {
    const view = at("", list([pattern()]), {}, { user: viewer });
    const button = await screen.findByRole("button", { name: /^Silenciar: failed/ });
    expect(button).toHaveAccessibleDescription("O seu papel não tem a permissão logs.manage.");
    await view.user.click(button);
    expect(view.calls.some((call) => call.method === "PATCH")).toBe(false);
  });

  it("are walked with j and k", async () => {
    const view = at("", list([pattern({ id: "a", template: "um" }), pattern({ id: "b", template: "dois" })]));
    await screen.findByRole("list", { name: "Padrões" });
    await view.user.keyboard("jj");
    expect(screen.getByRole("link", { name: /^dois/ })).toHaveFocus();
    await view.user.keyboard("k");
    expect(screen.getByRole("link", { name: /^um/ })).toHaveFocus();
  });
});

describe("a pattern's detail", () => {
  const one = `GET ${path}/${id}`;

  it("opens from its row and compares with the usual", async () => {
    const view = at("", list([pattern()]), { [one]: detail({ merged_ids: ["x"] }) });
    await view.user.click(await screen.findByRole("link", { name: /^Detalhes de failed/ }));
    await waitFor(() => expect(view.at()).toContain(`open=${id}`));
    const dialog = await screen.findByRole("dialog");
    expect(
      await within(dialog).findByText(/900 na última hora.*cerca de 12, com desvio de 3/),
    ).toBeInTheDocument();
    expect(within(dialog).getByText("failed password for bob from 10.0.0.1")).toBeInTheDocument();
    expect(within(dialog).getByText("1 padrão parecido faz parte deste.")).toBeInTheDocument();
    expect(within(dialog).getByRole("link", { name: "Abrir o registro" })).toHaveAttribute(
      "href",
      "/admin/logs?log=s1",
    );
    await view.user.keyboard("{Escape}");
    await waitFor(() => expect(view.at()).toBe("/admin/logs/patterns"));
  });

  it("says when there is nothing to compare with yet", async () => {
    const surge = { since: null, recent_count: 4, median: null, mad: null, score: null };
    at(`?open=${id}`, list([pattern()]), { [one]: detail({ surge }) });
    expect(await screen.findByText(/menos de três dias/)).toBeInTheDocument();
  });

  it("says when it is unknown", async () => {
    at(`?open=${id}`, list([pattern()]), { [one]: problem(404, { detail: "Não há esse padrão." }) });
    expect(await screen.findByText("Não há esse padrão.")).toBeInTheDocument();
  });
});
