import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";
import { type Schedule, useRemoveSchedule } from "@/api/schedules";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { ErrorPanel } from "@/ui/states";

export function RemoveDialog({ schedule, onClose }: { schedule: Schedule | null; onClose: () => void }) {
  const { t } = useTranslation();
  const remove = useRemoveSchedule();
  const keep = useRef<HTMLButtonElement>(null);
  const close = () => {
    remove.reset();
    onClose();
  };
  return (
    <Dialog
      open={schedule !== null}
      onOpenChange={(next) => !next && close()}
      title={t("schedules.remove_title", { name: schedule?.name ?? "" })}
      description={t("schedules.remove_text")}
      initialFocus={keep}
    >
      <div className="flex flex-col gap-4">
        {remove.isError && <ErrorPanel compact error={remove.error} />}
        <div className="flex justify-end gap-2">
          <Button ref={keep} onClick={close}>
            {t("action.cancel")}
          </Button>
          <Button
            variant="danger"
            busy={remove.isPending}
            onClick={() =>
              schedule &&
              remove.mutate(schedule.id, {
                onSuccess: () => {
                  toast.success(t("schedules.removed", { name: schedule.name }));
                  close();
                },
              })
            }
          >
            {t("schedules.remove")}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
