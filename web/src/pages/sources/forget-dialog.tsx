import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";
import { useForgetSource } from "@/api/sources";
import type { Source } from "@/api/types";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { ErrorPanel } from "@/ui/states";

export function ForgetDialog({ source, onClose }: { source: Source | null; onClose: () => void }) {
  const { t } = useTranslation();
  const forget = useForgetSource();
  const keep = useRef<HTMLButtonElement>(null);
  const close = () => {
    forget.reset();
    onClose();
  };
  return (
    <Dialog
      open={source !== null}
      onOpenChange={(next) => !next && close()}
      title={t("sources.forget_title", { name: source?.name ?? "" })}
      description={t("sources.forget_text")}
      initialFocus={keep}
    >
      <div className="flex flex-col gap-4">
        {forget.isError && <ErrorPanel compact error={forget.error} />}
        <div className="flex justify-end gap-2">
          <Button ref={keep} onClick={close}>
            {t("action.cancel")}
          </Button>
          <Button
            variant="danger"
            busy={forget.isPending}
            onClick={() =>
              source &&
              forget.mutate(source.id, {
                onSuccess: () => {
                  toast.success(t("sources.forgotten", { name: source.name }));
                  close();
                },
              })
            }
          >
            {t("sources.forget")}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
