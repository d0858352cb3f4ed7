import { QueryClientProvider } from "@tanstack/react-query";
import { NuqsAdapter } from "nuqs/adapters/react-router/v7";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import {
  type createBrowserRouter,
  Outlet,
  type RouteObject,
  RouterProvider,
  useRouteError,
} from "react-router";
import { Shell } from "@/shell/shell";
import { Button } from "@/ui/button";
import { ErrorPanel } from "@/ui/states";
import { Toaster } from "@/ui/toast";
import { TooltipProvider } from "@/ui/tooltip";
import { NotFound } from "./not-found";
import { type Services, ServicesContext } from "./services";

/** Pages are fetched when they are first opened. */
export const routes: RouteObject[] = [
  {
    element: <Root />,
    errorElement: <Broken />,
    hydrateFallbackElement: <div className="min-h-dvh bg-canvas" />,
    children: [
      { path: "/login", lazy: async () => ({ Component: (await import("@/pages/login/login")).Login }) },
      {
        element: <Shell />,
        children: [
          { path: "/", lazy: async () => ({ Component: (await import("./home")).Home }) },
          {
            path: "/admin/backup",
            lazy: async () => ({ Component: (await import("@/pages/backup/backup")).Backup }),
          },
          {
            path: "/admin/backup/manage",
            lazy: async () => ({ Component: (await import("@/pages/schedules/schedules")).Schedules }),
          },
          {
            path: "/admin/backup/history",
            lazy: async () => ({ Component: (await import("@/pages/history/history")).History }),
          },
          {
            path: "/admin/logs",
            lazy: async () => ({ Component: (await import("@/pages/logs/logs")).Logs }),
          },
          {
            path: "/admin/logs/patterns",
            lazy: async () => ({ Component: (await import("@/pages/patterns/patterns")).Patterns }),
          },
          {
            path: "/admin/logs/export",
            lazy: async () => ({ Component: (await import("@/pages/export/export")).Export }),
          },
          {
            path: "/admin/logs/erasures",
            lazy: async () => ({ Component: (await import("@/pages/erasures/erasures")).Erasures }),
          },
          {
            path: "/admin/settings/logs",
            lazy: async () => ({
              Component: (await import("@/pages/log-settings/log-settings")).LogSettings,
            }),
          },
          {
            path: "/admin/settings/sources",
            lazy: async () => ({ Component: (await import("@/pages/sources/sources")).Sources }),
          },
          {
            path: "/admin/settings/access",
            lazy: async () => ({ Component: (await import("@/pages/access/access")).Access }),
          },
          { path: "*", element: <NotFound /> },
        ],
      },
    ],
  },
];

export function App({
  services,
  router,
}: {
  services: Services;
  router: ReturnType<typeof createBrowserRouter>;
}) {
  useEffect(() => services.session.watchTabs(), [services]);
  return (
    <ServicesContext value={services}>
      <QueryClientProvider client={services.queries}>
        <TooltipProvider delay={350}>
          <RouterProvider router={router} />
        </TooltipProvider>
      </QueryClientProvider>
    </ServicesContext>
  );
}

function Root() {
  const { t } = useTranslation();
  return (
    // Through the router, whose location the pages' links are made of.
    <NuqsAdapter defaultOptions={{ shallow: false }}>
      <Outlet />
      <Toaster label={t("shell.notifications")} />
    </NuqsAdapter>
  );
}

/** A page that broke, or whose files are gone because a newer version was put in their place. */
function Broken() {
  const { t } = useTranslation();
  return (
    <main className="mx-auto flex min-h-dvh max-w-lg flex-col justify-center gap-3 p-6">
      <ErrorPanel error={useRouteError()} title={t("error.page")} />
      <div>
        <Button variant="primary" onClick={() => globalThis.location.reload()}>
          {t("action.reload")}
        </Button>
      </div>
    </main>
  );
}
