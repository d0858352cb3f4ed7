import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { useServices } from "@/app/services";
import type { Api } from "./client";
import { unwrap } from "./problem";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type LogErasure = Schemas["LogErasure"];
export type LogErasureRequest = Schemas["LogErasureRequest"];
/** Whose entries: those that have all that it names. */
export type Subject = Pick<LogErasureRequest, "user_id" | "session_id">;

const all = ["logs", "erasures"] as const;

/** All erasures, or those that were asked for exactly this subject; looked at again while one goes on. */
export const erasuresQuery = (api: Api, subject?: Subject) =>
  infiniteQueryOptions({
    queryKey: [...all, subject ?? null] as const,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ signal, pageParam }) =>
      unwrap(
        await api.GET("/api/logs/erasures", {
          signal,
          params: { query: { ...subject, limit: subject ? 10 : 50, cursor: pageParam } },
        }),
      ),
    getNextPageParam: (page) => (page.has_more ? (page.next_cursor ?? undefined) : undefined),
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.items.some((one) => one.state !== "completed"))
        ? 3_000
        : false,
  });

/** How many entries a subject has now, all of them counted, and the newest. */
export const subjectQuery = (api: Api, subject: Subject) =>
  queryOptions({
    queryKey: [...all, "count", subject] as const,
    // What is shown before something is erased for good must not be from earlier.
    staleTime: 0,
    gcTime: 0,
    queryFn: async ({ signal }) =>
      unwrap(
        await api.GET("/api/logs/search", {
          signal,
          params: { query: { ...subject, limit: 1, track_total: true } },
        }),
      ),
  });

export function useEraseLogs() {
  const { api } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ request, key }: { request: LogErasureRequest; key: string }) =>
      unwrap(
        await api.POST("/api/logs/erasures", {
          params: { header: { "Idempotency-Key": key } },
          body: request,
        }),
      ),
    // Searches, counts and exports of logs change with it.
    onSettled: () => queries.invalidateQueries({ queryKey: ["logs"] }),
  });
}
