import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { useServices } from "@/app/services";
import type { Api } from "./client";
import { unwrap } from "./problem";
import {
  type BackupType,
  type ExecuteRequest,
  type ExecutionStatus,
  isActive,
  type LedgerStatus,
  type Summary,
} from "./types";

/** Polling: every second while something runs, else every 20 s. Query pauses it in hidden tabs. */
const live = 1_000;
const idle = 20_000;

export const keys = {
  summary: ["backup", "summary"] as const,
  executions: ["backup", "executions"] as const,
  execution: (id: string) => ["backup", "execution", id] as const,
  download: (id: string) => ["backup", "download", id] as const,
  ledger: (id: string) => ["backup", "ledger", id] as const,
};

export const summaryQuery = (api: Api) =>
  queryOptions({
    queryKey: keys.summary,
    queryFn: async ({ signal }) => unwrap(await api.GET("/api/backup/summary", { signal })),
    refetchInterval: (query) => (anyRunning(query.state.data) ? live : idle),
  });

export function anyRunning(summary: Summary | undefined): boolean {
  return summary?.sources.some((row) => isActive(row.running)) ?? false;
}

export type ExecutionFilter = {
  status: ExecutionStatus[];
  type: BackupType[];
  source: string | null;
  after: string | null;
};

export const executionsQuery = (api: Api, filter: ExecutionFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.executions, filter] as const,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ signal, pageParam }) =>
      unwrap(
        await api.GET("/api/backup/executions", {
          signal,
          params: {
            query: {
              limit: 50,
              cursor: pageParam,
              status: filter.status.length ? filter.status : undefined,
              type: filter.type.length ? filter.type : undefined,
              source_id: filter.source ?? undefined,
              started_after: filter.after ?? undefined,
            },
          },
        }),
      ),
    getNextPageParam: (page) => (page.has_more ? (page.next_cursor ?? undefined) : undefined),
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.items.some(isActive)) ? 2 * live : idle,
  });

export const executionQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: keys.execution(id),
    queryFn: async ({ signal }) =>
      unwrap(await api.GET("/api/backup/executions/{id}", { signal, params: { path: { id } } })),
    refetchInterval: (query) => (isActive(query.state.data) ? live : false),
  });

export const downloadQuery = (api: Api, id: string) =>
  infiniteQueryOptions({
    queryKey: keys.download(id),
    initialPageParam: undefined as string | undefined,
    // The links work for an hour.
    staleTime: 30 * 60_000,
    queryFn: async ({ signal, pageParam }) =>
      unwrap(
        await api.GET("/api/backup/executions/{id}/download", {
          signal,
          params: { path: { id }, query: { limit: 200, cursor: pageParam } },
        }),
      ),
    getNextPageParam: (page) => (page.has_more ? (page.next_cursor ?? undefined) : undefined),
  });

export type LedgerFilter = { status?: LedgerStatus[]; lost?: boolean };

/** A ledger never changes: it is asked for once. */
export const ledgerQuery = (api: Api, id: string, filter: LedgerFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.ledger(id), filter] as const,
    initialPageParam: undefined as string | undefined,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal, pageParam }) =>
      unwrap(
        await api.GET("/api/backup/executions/{id}/ledger", {
          signal,
          params: { path: { id }, query: { limit: 100, cursor: pageParam, ...filter } },
        }),
      ),
    getNextPageParam: (page) => (page.has_more ? (page.next_cursor ?? undefined) : undefined),
  });

export function useRunBackup() {
  const { api } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ request, key }: { request: ExecuteRequest; key: string }) =>
      unwrap(
        await api.POST("/api/backup/execute", {
          params: { header: { "Idempotency-Key": key } },
          body: { ...request, wait: false },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ["backup"] }),
  });
}

export function useCancelBackup() {
  const { api } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) =>
      unwrap(await api.POST("/api/backup/executions/{id}/cancel", { params: { path: { id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["backup"] }),
  });
}
