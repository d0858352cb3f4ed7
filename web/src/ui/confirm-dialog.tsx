import type { UseMutationResult } from "@tanstack/react-query";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { ErrorPanel } from "./states";

type Props = {
  /** What it is about; null while the dialog is closed. */
  subject: { id: string } | null;
  title: string;
  text: string;
  /** On the button that does it. */
  action: string;
  /** Said when it is done. */
  done: string;
  mutation: UseMutationResult<unknown, Error, string>;
  onClose: () => void;
};

/** Asks before something that cannot be taken back. The focus is on keeping it. */
export function ConfirmDialog({ subject, title, text, action, done, mutation, onClose }: Props) {
  const { t } = useTranslation();
  const keep = useRef<HTMLButtonElement>(null);
  const close = () => {
    mutation.reset();
    onClose();
  };
  return (
    <Dialog
      open={subject !== null}
      onOpenChange={(next) => !next && close()}
      title={title}
      description={text}
      initialFocus={keep}
    >
      <div className="flex flex-col gap-4">
        {mutation.isError && <ErrorPanel compact error={mutation.error} />}
        <div className="flex justify-end gap-2">
          <Button ref={keep} onClick={close}>
            {t("action.cancel")}
          </Button>
          <Button
            variant="danger"
            busy={mutation.isPending}
            onClick={() =>
              subject &&
              mutation.mutate(subject.id, {
                onSuccess: () => {
                  toast.success(done);
                  close();
                },
              })
            }
          >
            {action}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
