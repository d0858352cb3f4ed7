import createClient, { type Middleware } from "openapi-fetch";
import { ApiError, NETWORK } from "./problem";
import type { paths } from "./schema";

export type ApiDeps = {
  /** The token to send, made fresh first when it is about to expire; null when signed out. */
  token: () => Promise<string | null>;
  /** Called with the token that was refused, when the API answers 401 to it. */
  onUnauthorized: (token: string | null) => void;
  language: () => string;
};

const withoutToken = new Set(["/api/auth/login", "/api/auth/refresh"]);

export function createApi(deps: ApiDeps) {
  const client = createClient<paths>({
    baseUrl: globalThis.location?.origin ?? "",
    // Looked up at each call, so that tests can put their own in its place.
    fetch: (request) => globalThis.fetch(request),
  });
  const sent = new WeakMap<Request, string | null>();
  const auth: Middleware = {
    async onRequest({ request, schemaPath }) {
      request.headers.set("accept-language", deps.language());
      if (withoutToken.has(schemaPath)) return request;
      const token = await deps.token();
      if (token) request.headers.set("authorization", `Bearer ${token}`);
      sent.set(request, token);
      return request;
    },
    onResponse({ request, response, schemaPath }) {
      if (response.status === 401 && !withoutToken.has(schemaPath)) {
        deps.onUnauthorized(sent.get(request) ?? null);
      }
      return undefined;
    },
    onError({ error }) {
      if (error instanceof DOMException && error.name === "AbortError") return undefined;
      if (error instanceof ApiError) return error;
      return new ApiError({ status: 0, code: NETWORK });
    },
  };
  client.use(auth);
  return client;
}

export type Api = ReturnType<typeof createApi>;
