import clsx from "clsx";
import { PanelLeftClose, PanelLeftOpen } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import { Logo, Wordmark } from "@/ui/logo";
import { groups, type Page } from "./pages";

export function Navigation({
  collapsed = false,
  onNavigate,
}: {
  collapsed?: boolean;
  onNavigate?: () => void;
}) {
  const { t } = useTranslation();
  const { pathname, search } = useLocation();
  // The chosen database goes along; what else the address says belongs to the page.
  const source = new URLSearchParams(search).get("source");
  return (
    <nav aria-label={t("shell.navigation")} className="flex flex-col px-2">
      {groups.map((group) => (
        <ul
          key={group[0]?.path}
          className="flex flex-col gap-0.5 not-first:mt-2.5 not-first:border-t not-first:pt-2.5"
        >
          {group.map((page) => (
            <li key={page.path}>
              <PageLink
                page={page}
                to={source ? `${page.path}?source=${encodeURIComponent(source)}` : page.path}
                here={pathname === page.path}
                collapsed={collapsed}
                onNavigate={onNavigate}
              />
            </li>
          ))}
        </ul>
      ))}
    </nav>
  );
}

function PageLink({
  page: { label, icon: Icon, keys },
  to,
  here,
  collapsed,
  onNavigate,
}: {
  page: Page;
  to: string;
  here: boolean;
  collapsed: boolean;
  onNavigate?: () => void;
}) {
  const { t } = useTranslation();
  return (
    <Link
      to={to}
      onClick={onNavigate}
      aria-current={here ? "page" : undefined}
      aria-label={collapsed ? t(label) : undefined}
      title={collapsed ? t(label) : undefined}
      className={clsx(
        "group flex h-8 items-center gap-2.5 rounded-control px-2.5 font-medium",
        collapsed && "justify-center px-0",
        here ? "bg-accent-soft text-accent" : "text-ink-2 hover:bg-hover hover:text-ink",
      )}
    >
      <Icon size={17} aria-hidden className="shrink-0" />
      {!collapsed && (
        <>
          <span className="flex-1 truncate">{t(label)}</span>
          <kbd
            aria-hidden
            className="hidden font-mono text-[11px] text-ink-3 group-hover:inline group-focus-visible:inline"
          >
            {keys}
          </kbd>
        </>
      )}
    </Link>
  );
}

export function Sidebar({ collapsed, onToggle }: { collapsed: boolean; onToggle: () => void }) {
  const { t } = useTranslation();
  const Icon = collapsed ? PanelLeftOpen : PanelLeftClose;
  return (
    <aside
      className={clsx(
        "sticky top-0 hidden h-dvh shrink-0 flex-col border-r bg-surface transition-[width] duration-150 md:flex",
        collapsed ? "w-14" : "w-60",
      )}
    >
      <div className={clsx("flex h-13 shrink-0 items-center", collapsed ? "justify-center" : "px-4.5")}>
        <Link to="/admin/backup" aria-label={t("shell.home")} className="rounded-control">
          {collapsed ? <Logo size={26} /> : <Wordmark size={26} />}
        </Link>
      </div>
      <div className="flex-1 overflow-y-auto py-2">
        <Navigation collapsed={collapsed} />
      </div>
      <div className="border-t p-2">
        <button
          type="button"
          onClick={onToggle}
          aria-expanded={!collapsed}
          aria-label={collapsed ? t("shell.expand") : t("shell.collapse")}
          className={clsx(
            "flex h-8 w-full items-center gap-2.5 rounded-control px-2.5 text-ink-3 hover:bg-hover hover:text-ink",
            collapsed && "justify-center px-0",
          )}
        >
          <Icon size={17} aria-hidden />
          {!collapsed && t("shell.collapse")}
        </button>
      </div>
    </aside>
  );
}
