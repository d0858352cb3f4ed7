import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, Outlet, useLocation } from "react-router";
import { useUser } from "@/app/services";
import { Preference, usePreference } from "@/prefs/local";
import { Sheet } from "@/ui/dialog";
import { Wordmark } from "@/ui/logo";
import { KeyHelp } from "./help";
import { Palette } from "./palette";
import { useShellKeys } from "./shortcuts";
import { Navigation, Sidebar } from "./sidebar";
import { TopBar } from "./topbar";

const sidebar = new Preference<"open" | "closed">(
  "guarda.sidebar",
  "open",
  (text): text is "open" | "closed" => text === "open" || text === "closed",
);

/** What is around every page of a signed-in person; anyone else is sent to sign in and back. */
export function Shell() {
  const { t } = useTranslation();
  const user = useUser();
  const { pathname, search } = useLocation();
  const collapsed = usePreference(sidebar) === "closed";
  const [overlay, setOverlay] = useState<"palette" | "help" | "navigation" | null>(null);
  const shows = (what: typeof overlay) => ({
    open: overlay === what,
    onOpenChange: (open: boolean) => setOverlay(open ? what : null),
  });
  useShellKeys({ onPalette: () => setOverlay("palette"), onHelp: () => setOverlay("help") });

  if (!user) return <Navigate to={`/login?return=${encodeURIComponent(pathname + search)}`} replace />;
  return (
    <div className="flex min-h-dvh">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-control focus:bg-accent focus:px-3 focus:py-1.5 focus:text-on-accent"
      >
        {t("shell.skip")}
      </a>
      <Sidebar collapsed={collapsed} onToggle={() => sidebar.set(collapsed ? "open" : "closed")} />
      <div className="flex min-w-0 flex-1 flex-col">
        <TopBar onMenu={() => setOverlay("navigation")} onPalette={() => setOverlay("palette")} />
        <main
          id="main"
          tabIndex={-1}
          className="mx-auto w-full max-w-[1280px] flex-1 px-4 py-5 outline-none md:px-6 md:py-6"
        >
          <Outlet />
        </main>
      </div>
      <Sheet {...shows("navigation")} side="left" title={t("shell.navigation")} hideTitle>
        <div className="flex h-13 items-center px-4.5">
          <Wordmark size={26} />
        </div>
        <Navigation onNavigate={() => setOverlay(null)} />
      </Sheet>
      <Palette {...shows("palette")} />
      <KeyHelp {...shows("help")} />
    </div>
  );
}
