import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { useServices } from "@/app/services";
import type { Api } from "./client";
import { unwrap } from "./problem";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Schedule = Schemas["Schedule"];
export type ScheduleInput = Schemas["ScheduleInput"];
export type ScheduleConfiguration = Schemas["ScheduleConfiguration"];

const all = ["backup", "schedules"] as const;

export const schedulesQuery = (api: Api, source: string | null) =>
  infiniteQueryOptions({
    queryKey: [...all, source] as const,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ signal, pageParam }) =>
      unwrap(
        await api.GET("/api/backup/schedules", {
          signal,
          params: { query: { limit: 50, cursor: pageParam, source_id: source ?? undefined } },
        }),
      ),
    getNextPageParam: (page) => (page.has_more ? (page.next_cursor ?? undefined) : undefined),
    // The next runs move on, and the last one ends.
    refetchInterval: 20_000,
  });

/** What is written says which version it replaces: the one that was read for it. */
async function versionOf(api: Api, id: string, signal?: AbortSignal) {
  const answer = await api.GET("/api/backup/schedules/{id}", { signal, params: { path: { id } } });
  return { schedule: unwrap(answer), etag: answer.response.headers.get("etag") ?? "" };
}

export type VersionedSchedule = Awaited<ReturnType<typeof versionOf>>;

export const scheduleQuery = (api: Api, id: string) =>
  queryOptions({
    // Apart from the list: what changes there must not change what is being typed.
    queryKey: ["schedule", id] as const,
    queryFn: ({ signal }) => versionOf(api, id, signal),
    // It is edited: what is shown is what was read now.
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });

const inputOf = (s: Schedule): ScheduleInput => ({
  name: s.name,
  cron_expression: s.cron_expression,
  backup_type: s.backup_type,
  source_id: s.source_id,
  configuration: s.configuration,
  active: s.active,
});

type Save = { input: ScheduleInput } & ({ id: string; etag: string } | { key: string });

function useScheduleMutation<In, Out>(run: (api: Api, input: In) => Promise<Out>) {
  const { api } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: In) => run(api, input),
    // The next runs of databases are in the summary.
    onSettled: () => queries.invalidateQueries({ queryKey: ["backup"] }),
  });
}

export const useSaveSchedule = () =>
  useScheduleMutation(async (api, save: Save) =>
    unwrap(
      "id" in save
        ? await api.PUT("/api/backup/schedules/{id}", {
            params: { path: { id: save.id }, header: { "If-Match": save.etag } },
            body: save.input,
          })
        : await api.POST("/api/backup/schedules", {
            params: { header: { "Idempotency-Key": save.key } },
            body: save.input,
          }),
    ),
  );

export const useSwitchSchedule = () =>
  useScheduleMutation(async (api, { id, active }: { id: string; active: boolean }) => {
    const { schedule, etag } = await versionOf(api, id);
    return unwrap(
      await api.PUT("/api/backup/schedules/{id}", {
        params: { path: { id }, header: { "If-Match": etag } },
        body: { ...inputOf(schedule), active },
      }),
    );
  });

export const useRemoveSchedule = () =>
  useScheduleMutation(async (api, id: string) =>
    unwrap(await api.DELETE("/api/backup/schedules/{id}", { params: { path: { id } } })),
  );

export const useRunSchedule = () =>
  useScheduleMutation(async (api, { id, key }: { id: string; key: string }) =>
    unwrap(
      await api.POST("/api/backup/schedules/{id}/run", {
        params: { path: { id }, header: { "Idempotency-Key": key } },
      }),
    ),
  );
