import { useTranslation } from "react-i18next";
import { type Schedule, useRemoveSchedule } from "@/api/schedules";
import { ConfirmDialog } from "@/ui/confirm-dialog";

export function RemoveDialog({ schedule, onClose }: { schedule: Schedule | null; onClose: () => void }) {
  const { t } = useTranslation();
  const name = schedule?.name ?? "";
  return (
    <ConfirmDialog
      subject={schedule}
      title={t("schedules.remove_title", { name })}
      text={t("schedules.remove_text")}
      action={t("schedules.remove")}
      done={t("schedules.removed", { name })}
      mutation={useRemoveSchedule()}
      onClose={onClose}
    />
  );
}
