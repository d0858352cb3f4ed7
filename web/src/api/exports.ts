import { infiniteQueryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { useServices } from "@/app/services";
import type { Api } from "./client";
import { unwrap } from "./problem";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type LogExport = Schemas["LogExport"];
export type LogExportRequest = Schemas["LogExportRequest"];
export type ExportFormat = LogExportRequest["format"];
export type ExportColumn = NonNullable<LogExportRequest["columns"]>[number];
export type MaskRule = NonNullable<LogExportRequest["mask"]>[number];

export const isBeingMade = (one: LogExport) => one.status === "pending" || one.status === "running";

const all = ["logs", "exports"] as const;
/** While a file is being made; else often enough that no shown link has stopped working. */
const live = 1_500;
const idle = 10 * 60_000;

export const exportsQuery = (api: Api) =>
  infiniteQueryOptions({
    queryKey: all,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ signal, pageParam }) =>
      unwrap(
        await api.GET("/api/logs/exports", { signal, params: { query: { limit: 20, cursor: pageParam } } }),
      ),
    getNextPageParam: (page) => (page.has_more ? (page.next_cursor ?? undefined) : undefined),
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.items.some(isBeingMade)) ? live : idle,
  });

export function useCancelExport() {
  const { api } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) =>
      unwrap(await api.POST("/api/logs/exports/{id}/cancel", { params: { path: { id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: all }),
  });
}

export function useExportLogs() {
  const { api } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ request, key }: { request: LogExportRequest; key: string }) =>
      unwrap(
        await api.POST("/api/logs/export", { params: { header: { "Idempotency-Key": key } }, body: request }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: all }),
  });
}
