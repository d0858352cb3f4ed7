import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { useServices } from "@/app/services";
import type { Api } from "./client";
import { unwrap } from "./problem";
import type { components } from "./schema";

export type LogSettings = components["schemas"]["LogSettings"];
/** The settings and the version they were read as: what is saved must say what it replaces. */
export type VersionedLogSettings = { settings: LogSettings; etag: string };

const key = ["logs", "settings"] as const;

const versioned = (answer: { data?: LogSettings; error?: unknown; response: Response }) => ({
  settings: unwrap(answer),
  etag: answer.response.headers.get("etag") ?? "",
});

export const logSettingsQuery = (api: Api) =>
  queryOptions({
    queryKey: key,
    queryFn: async ({ signal }): Promise<VersionedLogSettings> =>
      versioned(await api.GET("/api/settings/logs", { signal })),
    // An index that is being built becomes the active one some time.
    refetchInterval: (query) => (query.state.data?.settings.text_search_being_prepared ? 10_000 : false),
  });

export function useSaveLogSettings() {
  const { api } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ settings, etag }: VersionedLogSettings) =>
      versioned(
        await api.PUT("/api/settings/logs", { params: { header: { "If-Match": etag } }, body: settings }),
      ),
    onSuccess: (saved) => queries.setQueryData(key, saved),
  });
}
