import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { admin, sessionOf, summary } from "@/test/fixtures";
import { open, problem } from "@/test/stub";
import { safeReturn } from "./login";

const login = "POST /api/auth/login";

async function fillIn(user: ReturnType<typeof open>["user"]) {
  await user.type(await screen.findByLabelText("E-mail"), "ana@example.com");
  await user.type(screen.getByLabelText("Senha"), "segredo");
  await user.click(screen.getByRole("button", { name: "Entrar" }));
}

describe("signing in", () => {
  it("is asked of anyone who is not, and leads back to where they wanted to go", async () => {
    const page = open(
      "/admin/backup?dialog=run",
      { [login]: sessionOf(admin), "GET /api/backup/summary": summary() },
      { user: null },
    );
    await fillIn(page.user);
    await waitFor(() => expect(page.at()).toBe("/admin/backup?dialog=run"));
    expect(page.calls.find((call) => call.path === "/api/auth/login")?.body).toEqual({
      email: "ana@example.com",
      password: "segredo",
    });
    await waitFor(() => {
      const asked = page.calls.find((call) => call.path === "/api/backup/summary");
      expect(asked?.headers.get("authorization")).toBe("Bearer token-1");
      expect(asked?.headers.get("accept-language")).toBe("pt-BR");
    });
    expect(localStorage.getItem("guarda.session")).toBeNull();
  });

  it("stays on the device when that is ticked", async () => {
    const page = open(
      "/login",
      { [login]: sessionOf(admin), "GET /api/backup/summary": summary() },
      { user: null },
    );
    await page.user.click(await screen.findByLabelText(/Continuar conectado/));
    await fillIn(page.user);
    await waitFor(() => expect(localStorage.getItem("guarda.session")).toContain("token-1"));
  });

  it("says what the API says, with the request's id, and asks for the password again", async () => {
    const page = open(
      "/login",
      { [login]: problem(401, { detail: "E-mail ou senha incorretos.", hint: "Confira os dois." }) },
      { user: null },
    );
    await fillIn(page.user);
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("E-mail ou senha incorretos.");
    expect(alert).toHaveTextContent("Confira os dois.");
    expect(alert).toHaveTextContent("req-42");
    expect(screen.getByLabelText("Senha")).toHaveValue("");
    expect(screen.getByLabelText("Senha")).toHaveFocus();
  });

  it("says so when the server does not answer", async () => {
    const page = open(
      "/login",
      { [login]: () => Promise.reject(new TypeError("fetch failed")) },
      { user: null },
    );
    await fillIn(page.user);
    expect(await screen.findByRole("alert")).toHaveTextContent("O servidor não respondeu.");
  });

  it("asks for what is missing without troubling the API", async () => {
    const page = open("/login", {}, { user: null });
    await page.user.click(await screen.findByRole("button", { name: "Entrar" }));
    expect(await screen.findByText("Informe o e-mail.")).toBeInTheDocument();
    expect(screen.getByLabelText("E-mail")).toBeInvalid();
    expect(page.calls).toEqual([]);
  });

  it("ends when the API refuses the token, and remembers the page", async () => {
    const page = open("/admin/backup", { "GET /api/backup/summary": problem(401) });
    await waitFor(() => expect(page.at()).toBe("/login?return=%2Fadmin%2Fbackup"));
    expect(sessionStorage.getItem("guarda.session")).toBeNull();
  });
});

it("leads back only within this site", () => {
  expect(safeReturn("/admin/backup/history?run=1")).toBe("/admin/backup/history?run=1");
  for (const path of [
    null,
    "",
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/login?return=/x",
  ]) {
    expect(safeReturn(path)).toBe("/admin/backup");
  }
});
