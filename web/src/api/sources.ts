import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { useServices } from "@/app/services";
import type { Api } from "./client";
import { unwrap } from "./problem";
import { keys } from "./queries";
import type { components } from "./schema";
import type { Source, SourceInput } from "./types";

export type SourceUpdate = components["schemas"]["SourceUpdate"];
/** A database and the version it was read as. */
export type VersionedSource = { source: Source; etag: string };

const all = ["sources"] as const;

export const sourcesQuery = (api: Api) =>
  infiniteQueryOptions({
    queryKey: all,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ signal, pageParam }) =>
      unwrap(await api.GET("/api/sources", { signal, params: { query: { limit: 50, cursor: pageParam } } })),
    getNextPageParam: (page) => (page.has_more ? (page.next_cursor ?? undefined) : undefined),
  });

export const sourceQuery = (api: Api, id: string) =>
  queryOptions({
    // Apart from the list: what changes there must not change what is being typed.
    queryKey: ["source", id] as const,
    queryFn: async ({ signal }): Promise<VersionedSource> => {
      const answer = await api.GET("/api/sources/{id}", { signal, params: { path: { id } } });
      return { source: unwrap(answer), etag: answer.response.headers.get("etag") ?? "" };
    },
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });

export function useAddSource() {
  const { api } = useServices();
  return useMutation({
    mutationFn: async ({ source, key }: { source: SourceInput; key: string }) =>
      unwrap(
        await api.POST("/api/sources", { params: { header: { "Idempotency-Key": key } }, body: source }),
      ),
  });
}

export function useTestSource() {
  const { api } = useServices();
  return useMutation({
    mutationFn: async (id: string) =>
      unwrap(await api.POST("/api/sources/{id}/test", { params: { path: { id } } })),
  });
}

/** What changes a database changes the rows of every page that lists them. */
function useChanged() {
  const queries = useQueryClient();
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: all }),
      queries.invalidateQueries({ queryKey: keys.summary }),
    ]);
}

export function useSaveSource() {
  const { api } = useServices();
  return useMutation({
    mutationFn: async ({ id, etag, update }: { id: string; etag: string; update: SourceUpdate }) =>
      unwrap(
        await api.PUT("/api/sources/{id}", {
          params: { path: { id }, header: { "If-Match": etag } },
          body: update,
        }),
      ),
    onSettled: useChanged(),
  });
}

export function useForgetSource() {
  const { api } = useServices();
  return useMutation({
    mutationFn: async (id: string) =>
      unwrap(await api.DELETE("/api/sources/{id}", { params: { path: { id } } })),
    onSettled: useChanged(),
  });
}
