import { QueryClient } from "@tanstack/react-query";
import { createContext, use, useSyncExternalStore } from "react";
import { type Api, createApi } from "@/api/client";
import { ApiError, unwrap } from "@/api/problem";
import type { User } from "@/api/types";
import { SessionStore } from "@/auth/session";
import { i18n } from "@/i18n";

/** What the pages work with, made once at the start (and once a test). */
export type Services = { api: Api; session: SessionStore; queries: QueryClient };

export function createServices(): Services {
  const api: Api = createApi({
    token: () => session.token(),
    onUnauthorized: (token) => session.refused(token),
    language: () => i18n.language,
  });
  const session: SessionStore = new SessionStore({
    refresh: async (token) =>
      unwrap(await api.POST("/api/auth/refresh", { headers: { authorization: `Bearer ${token}` } })),
  });
  const queries = new QueryClient({
    defaultOptions: {
      // Without a network a request fails and is said to; the library would hold it
      // back, and erase or back up much later, when nobody thinks of it any more.
      mutations: { networkMode: "always" },
      queries: {
        networkMode: "always",
        staleTime: 2_000,
        // What the API refused stays refused; what did not arrive may arrive.
        retry: (count, error) =>
          count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500),
        retryDelay: (count) => Math.min(1_000 * 2 ** count, 8_000),
      },
    },
  });
  // The API puts warnings, failures and the coverage ledger into words.
  i18n.on("languageChanged", () => void queries.invalidateQueries());
  // What one person was shown is not for the next one, whoever ends the session.
  let person = session.user?.id;
  session.subscribe(() => {
    if (session.user?.id === person) return;
    person = session.user?.id;
    if (person) void queries.resetQueries();
    else queries.clear();
  });
  return { api, session, queries };
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = use(ServicesContext);
  if (!services) throw new Error("ServicesContext is missing");
  return services;
}

export function useUser(): User | null {
  const { session } = useServices();
  return useSyncExternalStore(session.subscribe, () => session.user);
}

export function usePermission(permission: string): boolean {
  return useUser()?.permissions.includes(permission) ?? false;
}
