import { useTranslation } from "react-i18next";
import { useForgetSource } from "@/api/sources";
import type { Source } from "@/api/types";
import { ConfirmDialog } from "@/ui/confirm-dialog";

export function ForgetDialog({ source, onClose }: { source: Source | null; onClose: () => void }) {
  const { t } = useTranslation();
  const name = source?.name ?? "";
  return (
    <ConfirmDialog
      subject={source}
      title={t("sources.forget_title", { name })}
      text={t("sources.forget_text")}
      action={t("sources.forget")}
      done={t("sources.forgotten", { name })}
      mutation={useForgetSource()}
      onClose={onClose}
    />
  );
}
