import { infiniteQueryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { useServices } from "@/app/services";
import type { Api } from "./client";
import { unwrap } from "./problem";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type ApiKey = Schemas["ApiKey"];
export type ApiKeyInput = Schemas["ApiKeyInput"];
export type NewApiKey = Schemas["NewApiKey"];
export type KeyRole = ApiKeyInput["role"];

const all = ["access", "api-keys"] as const;

export const apiKeysQuery = (api: Api) =>
  infiniteQueryOptions({
    queryKey: all,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ signal, pageParam }) =>
      unwrap(
        await api.GET("/api/access/api-keys", {
          signal,
          params: { query: { limit: 50, cursor: pageParam } },
        }),
      ),
    getNextPageParam: (page) => (page.has_more ? (page.next_cursor ?? undefined) : undefined),
  });

export function useCreateApiKey() {
  const { api } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ input, key }: { input: ApiKeyInput; key: string }) =>
      unwrap(
        await api.POST("/api/access/api-keys", {
          params: { header: { "Idempotency-Key": key } },
          body: input,
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: all }),
  });
}

export function useRevokeApiKey() {
  const { api } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) =>
      unwrap(await api.DELETE("/api/access/api-keys/{id}", { params: { path: { id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: all }),
  });
}
