import { useQuery } from "@tanstack/react-query";
import {
  CircleUserRound,
  Database,
  Languages,
  LogOut,
  Menu as MenuIcon,
  Monitor,
  Moon,
  Search,
  Sun,
} from "lucide-react";
import { parseAsString, useQueryState } from "nuqs";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { summaryQuery } from "@/api/queries";
import { useNow } from "@/app/now";
import { useServices, useUser } from "@/app/services";
import { languages, setLanguage } from "@/i18n";
import { usePreference } from "@/prefs/local";
import { theme, themes } from "@/prefs/theme";
import { browserZone, zone } from "@/prefs/zone";
import { Button } from "@/ui/button";
import { Menu, MenuChoice, MenuItem, MenuSeparator } from "@/ui/menu";
import { Select } from "@/ui/select";
import { toneFill, toneText } from "@/ui/status";
import { Tooltip } from "@/ui/tooltip";
import { overallHealth } from "./health";

const all = "all";

export function TopBar({ onMenu, onPalette }: { onMenu: () => void; onPalette: () => void }) {
  const { t } = useTranslation();
  return (
    <header className="sticky top-0 z-20 flex h-13 items-center gap-2 border-b bg-surface/90 px-3 backdrop-blur md:px-5">
      <Button
        variant="ghost"
        className="md:hidden"
        aria-label={t("shell.open_navigation")}
        icon={<MenuIcon size={18} aria-hidden />}
        onClick={onMenu}
      />
      <SourceSwitcher />
      <HealthDot />
      <div className="flex-1" />
      <button
        type="button"
        onClick={onPalette}
        aria-keyshortcuts="Control+K Meta+K"
        className="inline-flex h-8 items-center gap-2 rounded-control px-2 text-ink-3 hover:bg-hover lg:border lg:border-line-strong lg:bg-sunken"
      >
        <Search size={15} aria-hidden />
        <span className="sr-only lg:not-sr-only">{t("palette.short")}</span>
        <kbd
          aria-hidden
          className="ml-6 hidden rounded border bg-surface px-1 font-mono text-[11px] lg:inline"
        >
          {/mac/i.test(navigator.userAgent) ? "⌘K" : "Ctrl K"}
        </kbd>
      </button>
      <ThemeMenu />
      <LanguageMenu />
      <UserMenu />
    </header>
  );
}

/** Which database every page is about; in the address as `source`. */
function SourceSwitcher() {
  const { t } = useTranslation();
  const { api } = useServices();
  const { data } = useQuery(summaryQuery(api));
  const [source, setSource] = useQueryState("source", parseAsString);
  const rows = data?.sources ?? [];
  const known = rows.some((row) => row.source.id === source);
  return (
    <Select
      label={t("shell.database")}
      value={known && source ? source : all}
      onChange={(value) => setSource(value === all ? null : value)}
      options={[
        {
          value: all,
          label: t("shell.all_databases"),
          icon: <Database size={14} aria-hidden className="text-ink-3" />,
        },
        ...rows.map((row) => ({
          value: row.source.id,
          label: row.source.name,
          detail: `${row.source.database} · ${row.source.host}`,
          icon: <Database size={14} aria-hidden className="text-ink-3" />,
        })),
      ]}
      className="max-w-52"
    />
  );
}

/** Whether everything is protected, on every page. */
function HealthDot() {
  const { t } = useTranslation();
  const { api } = useServices();
  const { data, error } = useQuery(summaryQuery(api));
  const now = useNow();
  if (!data) return error ? <Dot tone="idle" mark="?" text={t("health.unknown")} /> : null;
  const { state, names } = overallHealth(data, now);
  const tone = { none: "idle", ok: "ok", first: "run", late: "warn", never: "warn", failed: "bad" } as const;
  const mark = { none: "–", ok: "✓", first: "…", late: "!", never: "!", failed: "✕" };
  return (
    <Dot tone={tone[state]} mark={mark[state]} text={t(`health.${state}`, { names: names.join(", ") })} />
  );
}

function Dot({ tone, mark, text }: { tone: keyof typeof toneFill; mark: string; text: string }) {
  return (
    <Tooltip text={text}>
      <Link
        to="/admin/backup"
        aria-label={text}
        className="inline-flex h-8 items-center gap-1.5 rounded-control px-2 hover:bg-hover"
      >
        <span aria-hidden className={`size-2.5 rounded-full ${toneFill[tone]}`} />
        <span aria-hidden className={`w-3 text-center font-bold text-[12px] ${toneText[tone]}`}>
          {mark}
        </span>
        <span aria-hidden className="hidden max-w-80 truncate text-[13px] text-ink-2 lg:inline">
          {text}
        </span>
      </Link>
    </Tooltip>
  );
}

const themeIcons = { system: Monitor, light: Sun, dark: Moon };

function ThemeMenu() {
  const { t } = useTranslation();
  const choice = usePreference(theme);
  const Icon = themeIcons[choice];
  return (
    <Menu
      trigger={
        <Button
          variant="ghost"
          className="max-sm:hidden"
          aria-label={t("theme.label")}
          icon={<Icon size={17} aria-hidden />}
        />
      }
    >
      <ThemeChoice />
    </Menu>
  );
}

function ThemeChoice() {
  const { t } = useTranslation();
  const choice = usePreference(theme);
  return (
    <MenuChoice
      label={t("theme.label")}
      value={choice}
      onChange={theme.set}
      options={themes.map((value) => {
        const Icon = themeIcons[value];
        return {
          value,
          label: t(`theme.${value}`),
          icon: <Icon size={15} aria-hidden className="text-ink-3" />,
        };
      })}
    />
  );
}

function LanguageMenu() {
  const { t } = useTranslation();
  return (
    <Menu
      trigger={
        <Button
          variant="ghost"
          className="max-sm:hidden"
          aria-label={t("language.label")}
          icon={<Languages size={17} aria-hidden />}
        />
      }
    >
      <LanguageChoice />
    </Menu>
  );
}

export function LanguageChoice() {
  const { t, i18n } = useTranslation();
  return (
    <MenuChoice
      label={t("language.label")}
      value={i18n.language}
      onChange={(value) => void setLanguage(value as (typeof languages)[number])}
      options={languages.map((value) => ({ value, label: t(`language.${value}`) }))}
    />
  );
}

function UserMenu() {
  const { t } = useTranslation();
  const { session } = useServices();
  const user = useUser();
  const chosen = usePreference(zone);
  if (!user) return null;
  const zones = [...new Set([browserZone(), "America/Sao_Paulo", "UTC"])];
  return (
    <Menu
      trigger={
        <Button
          variant="ghost"
          aria-label={t("shell.account")}
          icon={<CircleUserRound size={18} aria-hidden />}
        />
      }
    >
      <div className="px-2 py-2">
        <p className="font-semibold">{user.name || user.email}</p>
        <p className="text-[13px] text-ink-3">
          {user.email} · {t(`role.${user.role}`)}
        </p>
      </div>
      <MenuSeparator />
      <MenuChoice
        label={t("shell.zone")}
        value={chosen || browserZone()}
        onChange={(value) => zone.set(value === browserZone() ? "" : value)}
        options={zones.map((value) => ({ value, label: value.replaceAll("_", " ") }))}
      />
      <div className="sm:hidden">
        <MenuSeparator />
        <ThemeChoice />
        <LanguageChoice />
      </div>
      <MenuSeparator />
      <MenuItem
        icon={<LogOut size={15} aria-hidden className="text-ink-3" />}
        onClick={() => session.signOut()}
      >
        {t("action.sign_out")}
      </MenuItem>
    </Menu>
  );
}
