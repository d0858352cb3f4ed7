import { act, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { setLanguage } from "@/i18n";
import { detail, done, files, ledger, running, summary, unreadable, viewer } from "@/test/fixtures";
import { type Handlers, never, open, problem } from "@/test/stub";

const list = "GET /api/backup/executions";
const page1 = (items = [done()], next: string | null = null) => ({
  items,
  next_cursor: next,
  has_more: next !== null,
});
const id = done().id;
const at = (
  search: string,
  answer: Handlers[string],
  more: Handlers = {},
  options?: Parameters<typeof open>[2],
) =>
  open(
    `/admin/backup/history${search}`,
    { "GET /api/backup/summary": summary(), [list]: answer, ...more },
    options,
  );

describe("the history", () => {
  it("keeps its places while it loads", async () => {
    at("", never);
    expect(await screen.findByText("Carregando…")).toBeInTheDocument();
  });

  it("tells nothing yet from nothing matching", async () => {
    const empty = at("", page1([]));
    expect(await screen.findByText("Nenhum backup ainda")).toBeInTheDocument();
    empty.unmount();
    const filtered = at("?status=failed", page1([]));
    expect(await screen.findByText("Nada corresponde a estes filtros")).toBeInTheDocument();
    await filtered.user.click(screen.getAllByRole("button", { name: "Limpar filtros" })[0]!);
    await waitFor(() => expect(filtered.at()).toBe("/admin/backup/history"));
  });

  it("says what went wrong", async () => {
    at("", problem(400, { detail: "Cursor inválido.", hint: "Volte ao começo." }));
    expect(await screen.findByRole("alert")).toHaveTextContent("Volte ao começo.");
  });

  it("lists runs with their outcome in words", async () => {
    const canceled = done({ id: "c", status: "failed", canceled: true });
    const warned = done({ id: "w", warnings: [{ code: "full_instead", message: "copiou tudo" }] });
    at("", page1([running(), done(), canceled, warned, done({ id: "f", status: "failed" })]));
    const table = await screen.findByRole("table");
    for (const text of ["Em andamento", "Concluído", "Parado", "Com avisos", "Falhou"]) {
      expect(within(table).getByText(text)).toBeInTheDocument();
    }
  });

  it("does not ask again and again for what failed, and goes on when told to", async () => {
    let asked = 0;
    const many = Array.from({ length: 12 }, (_, i) => done({ id: `r${i}`, source_name: `banco-${i}` }));
    const page = at("", () =>
      asked++ === 0
        ? page1(many, "two")
        : asked < 3
          ? problem(400, { detail: "Cursor inválido." })
          : page1([done({ id: "last", source_name: "ultimo" })]),
    );
    expect(await screen.findByText("Cursor inválido.")).toBeInTheDocument();
    expect(screen.getByText("O resto da lista não foi carregado")).toBeInTheDocument();
    await page.user.keyboard("jjkk");
    expect(asked).toBe(2);
    await page.user.click(screen.getByRole("button", { name: "Tentar de novo" }));
    expect(await screen.findByText("ultimo")).toBeInTheDocument();
    expect(screen.queryByText("Cursor inválido.")).not.toBeInTheDocument();
  });

  it("asks the API what the address says", async () => {
    const page = at("?status=failed,active&type=incremental&source=abc&period=7d", page1());
    await screen.findByRole("table");
    const query = page.calls.find((call) => call.path === "/api/backup/executions")!.url.searchParams;
    expect(query.getAll("status")).toEqual(["failed", "pending", "running"]);
    expect(query.getAll("type")).toEqual(["incremental"]);
    expect(query.get("source_id")).toBe("abc");
    const days = (Date.now() - Date.parse(query.get("started_after")!)) / 86_400_000;
    expect(days).toBeGreaterThanOrEqual(7);
    expect(days).toBeLessThan(7.01);
  });

  it("puts a chosen filter into the address", async () => {
    const page = at("", page1());
    await page.user.click(await screen.findByRole("button", { name: "Com falha" }));
    await waitFor(() => expect(page.at()).toBe("/admin/backup/history?status=failed"));
    expect(screen.getByRole("button", { name: "Com falha" })).toHaveAttribute("aria-pressed", "true");
  });

  it("fetches the next page when its end is near", async () => {
    const many = Array.from({ length: 12 }, (_, i) => done({ id: `r${i}`, source_name: `banco-${i}` }));
    let asked = 0;
    const page = at("", () => (asked++ === 0 ? page1(many, "cursor-2") : page1([done({ id: "last" })])));
    await waitFor(() =>
      expect(
        page.calls
          .filter((c) => c.path === "/api/backup/executions")
          .at(-1)
          ?.url.searchParams.get("cursor"),
      ).toBe("cursor-2"),
    );
  });

  it("is walked with j and k and opened with Enter", async () => {
    const page = at(
      "",
      page1([done({ id: "a", source_name: "um" }), done({ id: "b", source_name: "dois" })]),
      {
        "GET /api/backup/executions/b": detail({ id: "b" }),
      },
    );
    await screen.findByRole("table");
    await page.user.keyboard("jj");
    expect(screen.getByRole("link", { name: /^dois/ })).toHaveFocus();
    await page.user.keyboard("k");
    expect(screen.getByRole("link", { name: /^um/ })).toHaveFocus();
    await page.user.keyboard("j{Enter}");
    await waitFor(() => expect(page.at()).toBe("/admin/backup/history?run=b"));
    await screen.findByRole("tab", { name: "Resumo" });
    await page.user.keyboard("{Escape}");
    await waitFor(() => expect(page.at()).toBe("/admin/backup/history"));
  });
});

describe("a run's detail", () => {
  const one = `GET /api/backup/executions/${id}`;

  it("is in the address, with phases, options and identifiers", async () => {
    at(`?run=${id}`, page1(), { [one]: detail() });
    const dialog = await screen.findByRole("dialog");
    expect(await within(dialog).findByText("Fases")).toBeInTheDocument();
    expect(
      within(dialog).getByText("56 s", { normalizer: (s) => s.replaceAll("\u00a0", " ") }),
    ).toBeInTheDocument();
    expect(within(dialog).getByText("public.tmp_*")).toBeInTheDocument();
    expect(within(dialog).getByText("PostgreSQL 15.8")).toBeInTheDocument();
    expect(within(dialog).getByText("loja/20261124T090000Z")).toBeInTheDocument();
  });

  it("shows how often a long run was handed on and taken up again", async () => {
    at(`?run=${id}`, page1(), { [one]: detail({ relay_count: 4, resume_count: 1 }) });
    const dialog = await screen.findByRole("dialog");
    expect(await within(dialog).findByText("o retrato do banco seguiu o mesmo")).toBeInTheDocument();
    expect(within(dialog).getByText("com um retrato novo; o que não mudou foi mantido")).toBeInTheDocument();
  });

  it("says why everything was copied although an incremental one was asked for", async () => {
    const message = "the backup was asked for as incremental and copies everything: there is no backup yet";
    at(`?run=${id}`, page1(), {
      [one]: detail({
        requested_type: "incremental",
        warnings: [
          { code: "full_instead", message },
          { code: "unreadable", message: "falta uma permissão" },
        ],
      }),
    });
    const dialog = await screen.findByRole("dialog");
    expect(await within(dialog).findByText("Foi pedido incremental, e tudo foi copiado")).toBeInTheDocument();
    expect(within(dialog).getByText(message)).toBeInTheDocument();
    expect(within(dialog).getByText("1 aviso")).toBeInTheDocument();
  });

  it("asks for the warnings again when the reader changes the language", async () => {
    const said: Record<string, string> = { "pt-BR": "a origem é um standby", en: "the source is a standby" };
    const { calls } = at(`?run=${id}`, page1(), {
      [one]: () => {
        const asked = calls.filter((call) => call.path.endsWith(id)).at(-1);
        const message = said[asked?.headers.get("accept-language") ?? ""] ?? "";
        return detail({ warnings: [{ code: "standby", message }] });
      },
    });
    const dialog = await screen.findByRole("dialog");
    expect(await within(dialog).findByText("a origem é um standby")).toBeInTheDocument();
    await act(() => setLanguage("en"));
    expect(await within(dialog).findByText("the source is a standby")).toBeInTheDocument();
  });

  it("names the kinds of the coverage ledger in the reader's language", async () => {
    at(`?run=${id}&view=ledger`, page1(), {
      [one]: detail(),
      [`${one}/ledger`]: ledger({ dumped: 811, unreadable: 1 }, [unreadable]),
    });
    const dialog = await screen.findByRole("dialog");
    expect(await within(dialog).findByText("linhas da tabela")).toBeInTheDocument();
    expect(within(dialog).getByText("tabela")).toBeInTheDocument();
  });

  it("shows what each helping function copied, and what was reused", async () => {
    const worker = { name: "w1", active: false, starts: 3, chunks: 12, rows: 1_000, raw_bytes: 5_000_000 };
    at(`?run=${id}`, page1(), { [one]: detail({ workers: [worker], chunks_reused: 7 }) });
    const dialog = await screen.findByRole("dialog");
    expect(await within(dialog).findByText("w1")).toBeInTheDocument();
    expect(
      within(dialog).getByText(/12 partes · 1\.000 linhas · 5.MB · 3 funções seguidas/),
    ).toBeInTheDocument();
    expect(within(dialog).getByText("7 reaproveitadas")).toBeInTheDocument();
  });

  it("leads from an incremental one to the backup it goes on from", async () => {
    const base = "11111111-2222-4333-8444-555555555555";
    const page = at(`?status=completed&run=${id}`, page1(), {
      [one]: detail({ type: "incremental", requested_type: "incremental", chunks_reused: 8, base_id: base }),
      [`GET /api/backup/executions/${base}`]: detail({ id: base }),
    });
    const dialog = await screen.findByRole("dialog");
    const link = await within(dialog).findByRole("link", { name: "a partir do backup 11111111" });
    // What was kept from it was not compressed anew.
    expect(within(dialog).queryByText(/ : 1$/)).not.toBeInTheDocument();
    await page.user.click(link);
    await waitFor(() => expect(page.at()).toBe(`/admin/backup/history?status=completed&run=${base}`));
    expect(await within(dialog).findByText("10 : 1")).toBeInTheDocument();
  });

  it("does not let many warnings hide the rest", async () => {
    const warnings = Array.from({ length: 20 }, (_, i) => ({ code: "unreadable", message: `aviso ${i}.` }));
    const page = at(`?run=${id}`, page1(), { [one]: detail({ warnings }) });
    const dialog = await screen.findByRole("dialog");
    expect(await within(dialog).findByText("20 avisos")).toBeInTheDocument();
    expect(within(dialog).getByText("aviso 2.").closest("details")).toBeNull();
    const rest = within(dialog).getByText("aviso 3.").closest("details")!;
    expect(rest.open).toBe(false);
    await page.user.click(within(dialog).getByText("Mais 17 avisos"));
    expect(rest.open).toBe(true);
  });

  it("says which files lie with an earlier backup", async () => {
    const path = "loja/20261101T000000Z-abc/data/00001.zst";
    at(`?run=${id}&view=files`, page1(), {
      [one]: detail(),
      [`${one}/download`]: { ...files, items: [...files.items, { ...files.items[0]!, path }] },
    });
    expect(await screen.findByText("data/00001.zst")).toBeInTheDocument();
    expect(screen.getByText("loja/20261101T000000Z-abc")).toBeInTheDocument();
    expect(screen.getByText("manifest.json")).toBeInTheDocument();
  });

  it("says why it failed and what to do", async () => {
    const error = { code: "unavailable", message: "O banco não respondeu.", hint: "Confira o endereço." };
    at(`?run=${id}`, page1(), { [one]: detail({ status: "failed", error }) });
    const dialog = await screen.findByRole("dialog");
    expect(await within(dialog).findByText("O banco não respondeu.")).toBeInTheDocument();
    expect(within(dialog).getByText("Confira o endereço.")).toBeInTheDocument();
  });

  it("says so when a run is unknown", async () => {
    at(`?run=${id}`, page1(), { [one]: problem(404, { detail: "Não há essa execução." }) });
    expect(await screen.findByText("Não há essa execução.")).toBeInTheDocument();
  });

  it("shows each table with its hash", async () => {
    at(`?run=${id}&view=tables`, page1(), { [one]: detail() });
    expect(await screen.findByText("0123456789abcdef0123456789abcdef")).toBeInTheDocument();
    expect(screen.getByText("orders")).toBeInTheDocument();
    expect(screen.getByText(/300\.000 linhas/)).toBeInTheDocument();
  });

  it("asks for links only when they are wanted, and lists them", async () => {
    const page = at(`?run=${id}`, page1(), { [one]: detail(), [`${one}/download`]: files });
    await page.user.click(await screen.findByRole("tab", { name: "Arquivos" }));
    expect(await screen.findByRole("link", { name: /Baixar .*manifest/ })).toHaveAttribute(
      "href",
      "/files/manifest",
    );
    expect(page.calls.filter((call) => call.path.endsWith("/download"))).toHaveLength(1);
  });

  it("says who may download", async () => {
    const page = at(`?run=${id}&view=files`, page1(), { [one]: detail() }, { user: viewer });
    expect(await screen.findByText("O seu papel não tem a permissão backup.download.")).toBeInTheDocument();
    expect(page.calls.some((call) => call.path.endsWith("/download"))).toBe(false);
  });

  it("counts what the backup holds, and says when nothing is missing", async () => {
    at(`?run=${id}&view=ledger`, page1(), { [one]: detail(), [`${one}/ledger`]: ledger() });
    expect(
      await screen.findByText("Todos os 812 objetos do banco estão contabilizados, sem lacunas"),
    ).toBeInTheDocument();
    expect(screen.getByText("Nada ficou de fora.")).toBeInTheDocument();
    expect(screen.queryByRole("button", { name: "Copiar os comandos" })).not.toBeInTheDocument();
  });

  it("names what could not be read and the statement that mends it", async () => {
    const answer = ledger({ dumped: 811, unreadable: 1, lost: 1 }, [unreadable]);
    const page = at(`?run=${id}&view=ledger`, page1(), { [one]: detail(), [`${one}/ledger`]: answer });
    expect(await screen.findByText("public.payroll")).toBeInTheDocument();
    expect(screen.getByText("GRANT SELECT ON TABLE public.payroll TO guarda;")).toBeInTheDocument();
    expect(screen.getByText(/1 objeto estava no backup anterior/)).toBeInTheDocument();
    await page.user.click(screen.getByRole("button", { name: /^Perdido desde o último backup/ }));
    await waitFor(() => expect(page.at()).toContain("coverage=lost"));
    const asked = page.calls.filter((call) => call.path.endsWith("/ledger"));
    expect(asked.at(-1)!.url.searchParams.get("lost")).toBe("true");
    await page.user.keyboard("{Escape}");
    await waitFor(() => expect(page.at()).toBe("/admin/backup/history"));
  });

  it("tells a backup without a ledger from a failure to load it", async () => {
    const old = at(`?run=${id}&view=ledger`, page1(), { [one]: detail(), [`${one}/ledger`]: problem(404) });
    expect(await screen.findByText(/antes de os backups terem inventário/)).toBeInTheDocument();
    old.unmount();
    at(`?run=${id}&view=ledger`, page1(), {
      [one]: detail(),
      [`${one}/ledger`]: problem(503, { detail: "O banco está fora." }),
    });
    expect(await screen.findByText("O banco está fora.")).toBeInTheDocument();
  });
});
