import { Play } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { toast } from "sonner";
import { useRunBackup } from "@/api/queries";
import type { BackupType, ExecuteRequest, SourceSummary } from "@/api/types";
import { usePermission } from "@/app/services";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { CheckField, Field, Input } from "@/ui/field";
import { Select } from "@/ui/select";
import { ErrorPanel } from "@/ui/states";
import { parsePatterns } from "./patterns";

type Form = { tables: string; compress: boolean };
const types: BackupType[] = ["full", "incremental", "differential"];

export function RunDialog({
  open,
  onClose,
  sources,
  initialSource,
}: {
  open: boolean;
  onClose: () => void;
  sources: SourceSummary[];
  initialSource: string | null;
}) {
  const { t } = useTranslation();
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => !next && onClose()}
      title={t("run_dialog.title")}
      description={t("run_dialog.text")}
    >
      {open && <RunForm onClose={onClose} sources={sources} initialSource={initialSource} />}
    </Dialog>
  );
}

function RunForm({
  onClose,
  sources,
  initialSource,
}: {
  onClose: () => void;
  sources: SourceSummary[];
  initialSource: string | null;
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const allowed = usePermission("backup.run");
  const run = useRunBackup();
  const fallback = sources.find((row) => row.source.is_default) ?? sources[0];
  const [source, setSource] = useState(
    sources.some((row) => row.source.id === initialSource) ? initialSource! : (fallback?.source.id ?? ""),
  );
  const [type, setType] = useState<BackupType>("full");
  const { register, handleSubmit, setError, formState } = useForm<Form>({
    defaultValues: { tables: "", compress: true },
  });
  // One key for one intent: a second click or a retry cannot start a second backup, a changed form is a new one.
  const [sent, setSent] = useState({ body: "", key: "" });
  const busy = sources.find((row) => row.source.id === source)?.running;

  const submit = handleSubmit(async ({ tables, compress }) => {
    const patterns = parsePatterns(tables);
    const request: ExecuteRequest = {
      type,
      source_id: source || undefined,
      compress,
      tables: patterns.length ? patterns : undefined,
    };
    const body = JSON.stringify(request);
    const key = sent.body === body ? sent.key : crypto.randomUUID();
    setSent({ body, key });
    run.mutate(
      { request, key },
      {
        onSuccess: (answer) => {
          onClose();
          toast.success(t("run_dialog.started"), {
            action: {
              label: t("action.follow"),
              onClick: () => navigate(`/admin/backup/history?run=${answer.backup_id}`),
            },
          });
        },
        onError: (error) => {
          for (const field of "fields" in error
            ? (error.fields as { field: string; message: string }[])
            : []) {
            if (field.field.startsWith("tables")) setError("tables", { message: field.message });
          }
        },
      },
    );
  });

  return (
    <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
      {run.isError && <ErrorPanel compact error={run.error} />}
      <Field label={t("run_dialog.source")}>
        {({ id }) => (
          <Select
            id={id}
            label={t("run_dialog.source")}
            value={source}
            onChange={setSource}
            options={sources.map((row) => ({
              value: row.source.id,
              label: row.source.name,
              detail: `${row.source.database} · ${row.source.host}`,
            }))}
            className="w-full"
          />
        )}
      </Field>
      <Field label={t("run_dialog.type")} help={t(`type.${type}_help`)}>
        {({ id }) => (
          <Select
            id={id}
            label={t("run_dialog.type")}
            value={type}
            onChange={setType}
            options={types.map((value) => ({ value, label: t(`type.${value}`) }))}
            className="w-full"
          />
        )}
      </Field>
      <Field
        label={t("run_dialog.tables")}
        help={t("run_dialog.tables_help")}
        error={formState.errors.tables?.message}
      >
        {(props) => (
          <Input
            {...props}
            {...register("tables")}
            placeholder={t("run_dialog.tables_placeholder")}
            spellCheck={false}
            autoCapitalize="off"
            className="font-mono text-[13px]"
          />
        )}
      </Field>
      <CheckField
        {...register("compress")}
        label={t("run_dialog.compress")}
        help={t("run_dialog.compress_help")}
      />
      <div className="mt-1 flex justify-end gap-2">
        <Button onClick={onClose}>{t("action.cancel")}</Button>
        <Button
          type="submit"
          variant="primary"
          icon={<Play size={14} aria-hidden />}
          busy={run.isPending}
          reason={
            !allowed
              ? t("permission.missing", { permission: "backup.run" })
              : busy
                ? t("run.already_running")
                : null
          }
        >
          {run.isPending ? t("run_dialog.starting") : t("action.run_now")}
        </Button>
      </div>
    </form>
  );
}
