import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";
import { type ApiKey, useRevokeApiKey } from "@/api/access";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { ErrorPanel } from "@/ui/states";

/** Revoking cannot be taken back, so it is asked for twice. */
export function RevokeDialog({ apiKey, onClose }: { apiKey: ApiKey | null; onClose: () => void }) {
  const { t } = useTranslation();
  const revoke = useRevokeApiKey();
  const keep = useRef<HTMLButtonElement>(null);
  const close = () => {
    revoke.reset();
    onClose();
  };
  return (
    <Dialog
      open={apiKey !== null}
      onOpenChange={(next) => !next && close()}
      title={t("access.revoke_title", { name: apiKey?.name ?? "" })}
      description={t("access.revoke_text")}
      initialFocus={keep}
    >
      <div className="flex flex-col gap-4">
        {revoke.isError && <ErrorPanel compact error={revoke.error} />}
        <div className="flex justify-end gap-2">
          <Button ref={keep} onClick={close}>
            {t("action.cancel")}
          </Button>
          <Button
            variant="danger"
            busy={revoke.isPending}
            onClick={() =>
              apiKey &&
              revoke.mutate(apiKey.id, {
                onSuccess: () => {
                  toast.success(t("access.revoked", { name: apiKey.name }));
                  close();
                },
              })
            }
          >
            {t("access.revoke")}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
