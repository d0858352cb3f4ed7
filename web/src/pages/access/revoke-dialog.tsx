import { useTranslation } from "react-i18next";
import { type ApiKey, useRevokeApiKey } from "@/api/access";
import { ConfirmDialog } from "@/ui/confirm-dialog";

export function RevokeDialog({ apiKey, onClose }: { apiKey: ApiKey | null; onClose: () => void }) {
  const { t } = useTranslation();
  const name = apiKey?.name ?? "";
  return (
    <ConfirmDialog
      subject={apiKey}
      title={t("access.revoke_title", { name })}
      text={t("access.revoke_text")}
      action={t("access.revoke")}
      done={t("access.revoked", { name })}
      mutation={useRevokeApiKey()}
      onClose={onClose}
    />
  );
}
