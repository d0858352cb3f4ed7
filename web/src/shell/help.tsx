import { useTranslation } from "react-i18next";
import { Dialog } from "@/ui/dialog";
import { pages } from "./pages";

const rows: [string[], string][] = [
  [["/"], "keys.filter"],
  [["j"], "keys.next"],
  [["k"], "keys.previous"],
  [["Enter"], "keys.open"],
  [["Esc"], "keys.close"],
  [["Ctrl/⌘", "K"], "keys.palette"],
  [["?"], "keys.help"],
];

export function KeyHelp({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t("keys.title")}>
      <dl className="divide-y divide-line">
        {[...pages.map(({ keys, label }) => [keys.split(" "), label] as const), ...rows].map(
          ([keys, label]) => (
            <div key={label} className="flex h-9 items-center justify-between gap-4">
              <dt className="text-ink-2">{t(label)}</dt>
              <dd className="flex gap-1">
                {keys.map((key) => (
                  <kbd key={key} className="rounded border bg-sunken px-1.5 font-mono text-[12px]">
                    {key}
                  </kbd>
                ))}
              </dd>
            </div>
          ),
        )}
      </dl>
    </Dialog>
  );
}
