import { Dialog } from "@base-ui/react/dialog";
import { Command } from "cmdk";
import { Languages, type LucideIcon, Moon, Play, Search, Sun } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { setLanguage } from "@/i18n";
import { theme } from "@/prefs/theme";
import { pages } from "./pages";

/** Everything by name: Ctrl/⌘ K. */
export function Palette({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const does = (action: () => void) => () => {
    onOpenChange(false);
    action();
  };
  const other = i18n.language === "en" ? "pt-BR" : "en";
  return (
    <Dialog.Root open={open} onOpenChange={(next) => onOpenChange(next)}>
      <Dialog.Portal>
        <Dialog.Backdrop className="scrim" />
        <Dialog.Popup className="popup fixed inset-x-3 top-[12vh] z-40 mx-auto max-w-[560px] overflow-hidden">
          <Dialog.Title className="sr-only">{t("palette.title")}</Dialog.Title>
          <Command label={t("palette.title")} loop>
            <div className="flex items-center gap-2.5 border-b px-4">
              <Search size={16} aria-hidden className="text-ink-3" />
              <Command.Input
                autoFocus
                placeholder={t("palette.placeholder")}
                className="h-12 w-full bg-transparent text-[15px] outline-none"
              />
            </div>
            <Command.List className="max-h-[50vh] overflow-y-auto p-1.5">
              <Command.Empty className="px-3 py-8 text-center text-ink-2">{t("palette.empty")}</Command.Empty>
              <Group heading={t("palette.pages")}>
                {pages.map((page) => (
                  <Item
                    key={page.path}
                    icon={page.icon}
                    keys={page.keys}
                    onSelect={does(() => navigate(page.path))}
                    text={t(page.label)}
                  />
                ))}
              </Group>
              <Group heading={t("palette.actions")}>
                <Item
                  icon={Play}
                  text={t("action.run_now")}
                  onSelect={does(() => navigate("/admin/backup?dialog=run"))}
                />
                <Item icon={Sun} text={t("palette.light")} onSelect={does(() => theme.set("light"))} />
                <Item icon={Moon} text={t("palette.dark")} onSelect={does(() => theme.set("dark"))} />
                <Item
                  icon={Languages}
                  text={t("palette.language", { language: t(`language.${other}`) })}
                  onSelect={does(() => void setLanguage(other))}
                />
              </Group>
            </Command.List>
          </Command>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Group({ heading, children }: { heading: string; children: React.ReactNode }) {
  return (
    <Command.Group
      heading={heading}
      className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-[12px] [&_[cmdk-group-heading]]:text-ink-3"
    >
      {children}
    </Command.Group>
  );
}

function Item({
  icon: Icon,
  text,
  keys,
  onSelect,
}: {
  icon: LucideIcon;
  text: string;
  keys?: string;
  onSelect: () => void;
}) {
  return (
    <Command.Item
      value={text}
      onSelect={onSelect}
      className="flex h-9 items-center gap-2.5 rounded-[6px] px-2.5 data-[selected=true]:bg-hover"
    >
      <Icon size={16} aria-hidden className="text-ink-3" />
      <span className="flex-1">{text}</span>
      {keys && <kbd className="font-mono text-[11px] text-ink-3">{keys}</kbd>}
    </Command.Item>
  );
}
