import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";
import { type LogErasureRequest, type Subject, useEraseLogs } from "@/api/erasures";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field, Input } from "@/ui/field";
import { ErrorPanel } from "@/ui/states";

const longest = 500;

type Props = { subject: Subject; count: string; onClose: () => void; onDone: () => void };

/** Erasing cannot be taken back: a word is typed before it is asked for. */
export function EraseDialog({ open, ...props }: Props & { open: boolean }) {
  const { t } = useTranslation();
  const keep = useRef<HTMLButtonElement>(null);
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => !next && props.onClose()}
      title={t("erasures.confirm_title", { count: props.count })}
      description={t("erasures.confirm_text")}
      initialFocus={keep}
    >
      <Confirm {...props} keep={keep} />
    </Dialog>
  );
}

function Confirm({
  subject,
  onClose,
  onDone,
  keep,
}: Props & { keep: React.RefObject<HTMLButtonElement | null> }) {
  const { t } = useTranslation();
  const erase = useEraseLogs();
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  // What was sent and not answered is sent again with its key: it is one request all the same.
  const [key] = useState(() => crypto.randomUUID());
  const word = t("erasures.word");
  const sure = typed.trim().toLocaleLowerCase() === word.toLocaleLowerCase();
  const tooLong = [...reason.trim()].length > longest;
  const blocked = tooLong
    ? t("erasures.reason_long", { count: longest })
    : sure
      ? null
      : t("erasures.type_first", { word });
  const submit = () => {
    const request: LogErasureRequest = { ...subject };
    if (reason.trim()) request.reason = reason.trim();
    erase.mutate(
      { request, key },
      {
        onSuccess: () => {
          toast.success(t("erasures.begun"));
          onDone();
        },
      },
    );
  };
  return (
    <form
      noValidate
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (!blocked && !erase.isPending) submit();
      }}
    >
      {erase.isError && <ErrorPanel compact error={erase.error} title={t("error.erase")} />}
      <dl className="flex flex-col gap-1 rounded-control border bg-sunken px-3 py-2 text-[13px]">
        {subject.user_id && <Named name={t("erasures.user")} value={subject.user_id} />}
        {subject.session_id && <Named name={t("erasures.session")} value={subject.session_id} />}
      </dl>
      <Field
        label={t("erasures.reason")}
        help={t("erasures.reason_help")}
        error={tooLong ? t("erasures.reason_long", { count: longest }) : undefined}
      >
        {(props) => (
          <Input
            {...props}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            autoComplete="off"
          />
        )}
      </Field>
      <Field label={t("erasures.type_word", { word })}>
        {(props) => (
          <Input
            {...props}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="off"
            spellCheck={false}
          />
        )}
      </Field>
      <div className="flex justify-end gap-2">
        <Button ref={keep} onClick={onClose}>
          {t("action.cancel")}
        </Button>
        <Button type="submit" variant="danger" busy={erase.isPending} reason={blocked}>
          {t("erasures.erase_now")}
        </Button>
      </div>
    </form>
  );
}

function Named({ name, value }: { name: string; value: string }) {
  return (
    <div className="flex flex-wrap gap-x-2">
      <dt className="text-ink-2">{name}</dt>
      <dd className="min-w-0 break-all font-mono">{value}</dd>
    </div>
  );
}
