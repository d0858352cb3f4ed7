import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { useServices } from "@/app/services";
import type { Api } from "./client";
import type { LogLevel } from "./logs";
import { unwrap } from "./problem";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type LogPattern = Schemas["LogPattern"];
export type LogPatternDetail = Schemas["LogPatternDetail"];
export type LogPatternList = Schemas["LogPatternList"];
export type LogPatternTrend = Schemas["LogPatternTrend"];

/** The list as the API takes it. */
export type PatternQuery = {
  q?: string;
  status?: "new" | "surging";
  muted?: boolean;
  sort?: "count" | "last_seen" | "first_seen" | "surge";
  level?: LogLevel[];
  source?: string[];
  start_date?: string;
  end_date?: string;
};

const keys = {
  all: ["logs", "patterns"] as const,
  one: (id: string) => ["logs", "pattern", id] as const,
};

export const patternsQuery = (api: Api, query: PatternQuery) =>
  infiniteQueryOptions({
    queryKey: [...keys.all, query] as const,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ signal, pageParam }) =>
      unwrap(
        await api.GET("/api/logs/patterns", {
          signal,
          params: { query: { ...query, limit: 100, cursor: pageParam } },
        }),
      ),
    getNextPageParam: (page) => (page.has_more ? (page.next_cursor ?? undefined) : undefined),
  });

export const patternQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: keys.one(id),
    staleTime: 60_000,
    queryFn: async ({ signal }) =>
      unwrap(await api.GET("/api/logs/patterns/{id}", { signal, params: { path: { id } } })),
  });

export function useMutePattern() {
  const { api } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, muted }: { id: string; muted: boolean }) =>
      unwrap(await api.PATCH("/api/logs/patterns/{id}", { params: { path: { id } }, body: { muted } })),
    onSuccess: (pattern) => queries.setQueryData(keys.one(pattern.id), pattern),
    onSettled: () => void queries.invalidateQueries({ queryKey: keys.all }),
  });
}
