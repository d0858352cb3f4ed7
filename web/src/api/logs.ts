import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { useServices } from "@/app/services";
import type { Api } from "./client";
import { unwrap } from "./problem";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Log = Schemas["Log"];
export type LogLevel = Schemas["LogLevel"];
export type LogHistogram = Schemas["LogHistogram"];
export type LogFacets = Schemas["LogFacets"];
export type SavedSearch = Schemas["SavedSearch"];
export type LogMode = "words" | "substring" | "regex";

/** The search as the API takes it. `metadata` is path to value. */
export type LogQuery = {
  search_term?: string;
  mode?: LogMode;
  level?: LogLevel[];
  source?: string[];
  exclude_source?: string[];
  start_date?: string;
  end_date?: string;
  user_id?: string;
  session_id?: string;
  pattern_id?: string;
  exclude_pattern_id?: string[];
  metadata?: Record<string, string>;
  exclude_metadata?: Record<string, string>;
};

type Values = Record<
  string,
  string | number | boolean | string[] | Record<string, string> | null | undefined
>;

/** As the contract has it: lists repeat their name, metadata is `metadata.<path>=value`. */
export function serialize(query: Values): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue;
    if (Array.isArray(value)) for (const one of value) out.append(name, one);
    else if (typeof value === "object") {
      for (const [path, one] of Object.entries(value)) out.append(`${name}.${path}`, one);
    } else out.append(name, String(value));
  }
  return out.toString();
}

const querySerializer = (query: unknown) => serialize(query as Values);

export const keys = {
  all: ["logs"] as const,
  saved: ["logs", "saved"] as const,
};

export const searchQuery = (api: Api, query: LogQuery) =>
  infiniteQueryOptions({
    queryKey: [...keys.all, "search", query] as const,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ signal, pageParam }) =>
      unwrap(
        await api.GET("/api/logs/search", {
          signal,
          querySerializer,
          params: { query: { ...query, limit: 100, cursor: pageParam } },
        }),
      ),
    getNextPageParam: (page) => (page.has_more ? (page.next_cursor ?? undefined) : undefined),
  });

export const histogramQuery = (api: Api, query: LogQuery) =>
  queryOptions({
    queryKey: [...keys.all, "histogram", query] as const,
    queryFn: async ({ signal }) =>
      unwrap(
        await api.GET("/api/logs/histogram", {
          signal,
          querySerializer,
          params: { query: { ...query, buckets: 80 } },
        }),
      ),
  });

export const facetsQuery = (api: Api, query: LogQuery) =>
  queryOptions({
    queryKey: [...keys.all, "facets", query] as const,
    queryFn: async ({ signal }) =>
      unwrap(
        await api.GET("/api/logs/facets", {
          signal,
          querySerializer,
          params: { query: { ...query, limit: 12 } },
        }),
      ),
  });

export const logQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: [...keys.all, "entry", id] as const,
    staleTime: Number.POSITIVE_INFINITY, // an entry never changes
    queryFn: async ({ signal }) =>
      unwrap(await api.GET("/api/logs/{id}", { signal, params: { path: { id } } })),
  });

export type ContextScope = "source" | "session" | "all";

export const contextQuery = (api: Api, id: string, scope: ContextScope) =>
  queryOptions({
    queryKey: [...keys.all, "context", id, scope] as const,
    queryFn: async ({ signal }) =>
      unwrap(
        await api.GET("/api/logs/{id}/context", {
          signal,
          params: { path: { id }, query: { before: 12, after: 12, scope } },
        }),
      ),
  });

export const savedQuery = (api: Api) =>
  queryOptions({
    queryKey: keys.saved,
    queryFn: async ({ signal }) =>
      unwrap(await api.GET("/api/logs/saved", { signal, params: { query: { limit: 200 } } })),
  });

export function useSaveSearch() {
  const { api } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (body: Schemas["SavedSearchInput"]) =>
      unwrap(
        await api.POST("/api/logs/saved", {
          params: { header: { "Idempotency-Key": crypto.randomUUID() } },
          body,
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.saved }),
  });
}

export function useForgetSearch() {
  const { api } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) =>
      unwrap(await api.DELETE("/api/logs/saved/{id}", { params: { path: { id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.saved }),
  });
}
