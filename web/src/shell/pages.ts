import {
  CalendarClock,
  Database,
  FileDown,
  History,
  KeyRound,
  type LucideIcon,
  ScrollText,
  Shapes,
  ShieldCheck,
  SlidersHorizontal,
  UserX,
} from "lucide-react";

export type Page = { path: string; label: string; icon: LucideIcon; keys: string };

/** The pages that exist, those about one thing together, in the order of the sidebar and the palette. */
export const groups: Page[][] = [
  [
    { path: "/admin/backup", label: "page.backup", icon: ShieldCheck, keys: "g b" },
    { path: "/admin/backup/manage", label: "page.schedules", icon: CalendarClock, keys: "g c" },
    { path: "/admin/backup/history", label: "page.history", icon: History, keys: "g h" },
  ],
  [
    { path: "/admin/logs", label: "page.logs", icon: ScrollText, keys: "g l" },
    { path: "/admin/logs/patterns", label: "page.patterns", icon: Shapes, keys: "g p" },
    { path: "/admin/logs/export", label: "page.export", icon: FileDown, keys: "g e" },
    { path: "/admin/logs/erasures", label: "page.erasures", icon: UserX, keys: "g d" },
  ],
  [
    { path: "/admin/settings/sources", label: "page.sources", icon: Database, keys: "g o" },
    { path: "/admin/settings/logs", label: "page.log_settings", icon: SlidersHorizontal, keys: "g s" },
    { path: "/admin/settings/access", label: "page.access", icon: KeyRound, keys: "g a" },
  ],
];

export const pages = groups.flat();
