import { History, type LucideIcon, ScrollText, ShieldCheck } from "lucide-react";

/** The pages that exist, in the order of the sidebar and the palette. */
export const pages: { path: string; label: string; icon: LucideIcon; keys: string }[] = [
  { path: "/admin/backup", label: "page.backup", icon: ShieldCheck, keys: "g b" },
  { path: "/admin/backup/history", label: "page.history", icon: History, keys: "g h" },
  { path: "/admin/logs", label: "page.logs", icon: ScrollText, keys: "g l" },
];
