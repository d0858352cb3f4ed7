import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createBrowserRouter } from "react-router";
import { onTestFinished, vi } from "vitest";
import type { Problem, User } from "@/api/types";
import { App, routes } from "@/app/app";
import { createServices } from "@/app/services";
import { admin, sessionOf } from "./fixtures";

type Answer = Response | object | (() => Response | object | Promise<Response | object>);
export type Handlers = Record<string, Answer>;
export type Call = { method: string; path: string; url: URL; headers: Headers; body: unknown };

/**
 * Stands in for the API: "GET /api/x" to its answer. A request that nobody
 * expected fails the test by its 500, and `calls` tells what was asked.
 */
export function stubApi(handlers: Handlers): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const url = new URL(request.url);
    const text = request.method === "GET" ? "" : await request.clone().text();
    calls.push({
      method: request.method,
      path: url.pathname,
      url,
      headers: request.headers,
      body: text ? JSON.parse(text) : undefined,
    });
    const answer = handlers[`${request.method} ${url.pathname}`];
    if (!answer) return problem(500, { detail: `no stub for ${request.method} ${url.pathname}` });
    const value = typeof answer === "function" ? await answer() : answer;
    return value instanceof Response ? value.clone() : Response.json(value);
  });
  return calls;
}

export function problem(status: number, over: Partial<Problem> = {}): Response {
  const body: Problem = {
    success: false,
    type: "/problems/x",
    title: "Problema",
    status,
    code: "x",
    detail: "algo deu errado",
    request_id: "req-42",
    ...over,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/problem+json" },
  });
}

/** The whole program at an address, with a stubbed API. */
export function open(path: string, handlers: Handlers, { user = admin as User | null } = {}) {
  const calls = stubApi(handlers);
  if (user) sessionStorage.setItem("guarda.session", JSON.stringify(sessionOf(user)));
  // The filters' library reads the browser's address, so the router must too.
  globalThis.history.replaceState(null, "", path);
  const services = createServices();
  const router = createBrowserRouter(routes);
  onTestFinished(() => router.dispose());
  const view = render(<App services={services} router={router} />);
  const at = () => globalThis.location.pathname + globalThis.location.search;
  return { ...view, user: userEvent.setup(), calls, services, router, at };
}

export const never = () => new Promise<Response>(() => {});
