import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, onTestFinished } from "vitest";
import { done, shop, summary } from "@/test/fixtures";
import { open } from "@/test/stub";

const handlers = {
  "GET /api/backup/summary": summary(),
  "GET /api/backup/executions": { items: [done()], next_cursor: null, has_more: false },
};

describe("the shell", () => {
  it("goes to pages with g and a letter, but not while someone types", async () => {
    const page = open("/admin/backup", handlers);
    await screen.findByRole("heading", { name: /Protegido/ });
    await page.user.keyboard("gh");
    await waitFor(() => expect(page.at()).toBe("/admin/backup/history"));
    await page.user.keyboard("gb");
    await waitFor(() => expect(page.at()).toBe("/admin/backup"));
  });

  it("reaches the filters with /", async () => {
    const page = open("/admin/backup/history", handlers);
    await screen.findByRole("table");
    await page.user.keyboard("/");
    expect(screen.getByRole("button", { name: "Concluídos" })).toHaveFocus();
  });

  it("shows the keys with ?", async () => {
    const page = open("/admin/backup", handlers);
    await screen.findByRole("heading", { name: /Protegido/ });
    await page.user.keyboard("?");
    expect(await screen.findByRole("dialog", { name: "Atalhos do teclado" })).toHaveTextContent(
      "Próxima linha",
    );
    await page.user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  });

  it("changes the language from the palette, for good", async () => {
    const page = open("/admin/backup", handlers);
    await screen.findByRole("heading", { name: /Protegido/ });
    await page.user.keyboard("{Control>}k{/Control}");
    const palette = await screen.findByRole("dialog", { name: "Paleta de comandos" });
    await page.user.type(within(palette).getByRole("combobox"), "english");
    await page.user.keyboard("{Enter}");
    expect(
      await screen.findByRole("heading", { name: "Protected: last copy 3 hours ago" }),
    ).toBeInTheDocument();
    expect(document.documentElement.lang).toBe("en");
    expect(localStorage.getItem("guarda.language")).toBe("en");
  });

  it("keeps the chosen database from page to page", async () => {
    const page = open(`/admin/backup?source=${shop.id}`, handlers);
    await screen.findByRole("heading", { name: /Protegido/ });
    await page.user.click(screen.getByRole("link", { name: "Histórico" }));
    await waitFor(() => expect(page.at()).toBe(`/admin/backup/history?source=${shop.id}`));
  });

  it("says that an address leads nowhere", async () => {
    open("/admin/nowhere", handlers);
    expect(await screen.findByRole("heading", { name: "Esta página não existe" })).toBeInTheDocument();
  });

  it("shows the next person nothing of the one before", async () => {
    const page = open("/admin/backup", handlers);
    await screen.findByRole("heading", { name: /Protegido/ });
    page.services.session.signOut();
    await waitFor(() => expect(page.at()).toMatch(/^\/login/));
    expect(page.services.queries.getQueryCache().getAll()).toEqual([]);
  });

  it("says that there is no network instead of waiting for it", async () => {
    const none = () => Promise.reject(new TypeError("Failed to fetch"));
    open("/admin/settings/logs", { ...handlers, "GET /api/settings/logs": none });
    globalThis.dispatchEvent(new Event("offline"));
    onTestFinished(() => void globalThis.dispatchEvent(new Event("online")));
    expect(await screen.findByText("O servidor não respondeu.")).toBeInTheDocument();
  });

  it("signs out from the account menu", async () => {
    const page = open("/admin/backup", handlers);
    await page.user.click(await screen.findByRole("button", { name: "Sua conta" }));
    await page.user.click(await screen.findByRole("menuitem", { name: "Sair" }));
    await waitFor(() => expect(page.at()).toMatch(/^\/login/));
    expect(sessionStorage.getItem("guarda.session")).toBeNull();
  });
});
