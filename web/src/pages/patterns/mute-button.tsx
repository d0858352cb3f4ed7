import { Bell, BellOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";
import { type LogPattern, useMutePattern } from "@/api/patterns";
import { usePermission } from "@/app/services";
import { Button } from "@/ui/button";
import { describe } from "@/ui/states";

/** Muted, a pattern is counted as before, and nobody is told about it. */
export function MuteButton({ pattern, words = false }: { pattern: LogPattern; words?: boolean }) {
  const { t } = useTranslation();
  const allowed = usePermission("logs.manage");
  const mute = useMutePattern();
  // Awaited, not with callbacks: a muted row may leave the list before the answer is there.
  const change = async (muted: boolean) => {
    try {
      await mute.mutateAsync({ id: pattern.id, muted });
      toast.success(t(muted ? "patterns.is_muted" : "patterns.is_unmuted"), {
        description: pattern.template.slice(0, 120),
        action: { label: t("action.undo"), onClick: () => void change(!muted) },
      });
    } catch (error) {
      toast.error(t("error.mute"), { description: describe(error, (key) => t(key)).message });
    }
  };
  const text = t(pattern.muted ? "patterns.unmute" : "patterns.mute");
  const Icon = pattern.muted ? Bell : BellOff;
  return (
    <Button
      size={words ? "md" : "sm"}
      variant={words ? "secondary" : "ghost"}
      icon={<Icon size={15} aria-hidden />}
      aria-label={words ? undefined : `${text}: ${pattern.template.slice(0, 80)}`}
      title={words ? undefined : text}
      busy={mute.isPending}
      reason={allowed ? null : t("permission.missing", { permission: "logs.manage" })}
      onClick={() => void change(!pattern.muted)}
    >
      {words ? text : undefined}
    </Button>
  );
}
