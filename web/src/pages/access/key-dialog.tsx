import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { type ApiKeyInput, type KeyRole, type NewApiKey, useCreateApiKey } from "@/api/access";
import { ApiError } from "@/api/problem";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field, Input } from "@/ui/field";
import { Select } from "@/ui/select";
import { CopyButton, ErrorPanel } from "@/ui/states";

const roles: KeyRole[] = ["sender", "viewer", "operator", "admin"];
const lives = ["90", "365", "never"] as const;
type Life = (typeof lives)[number];
type Form = { name: string; role: KeyRole; life: Life; limit: string };

/** Makes a key, and shows it the one time that it can be seen. */
export function KeyDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const [made, setMade] = useState<NewApiKey | null>(null);
  const close = () => {
    setMade(null);
    onClose();
  };
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => !next && close()}
      title={made ? t("access.made_title", { name: made.name }) : t("access.new")}
      description={made ? t("access.made_text") : undefined}
    >
      {made ? (
        <div className="flex flex-col gap-4">
          <p className="flex items-start gap-2 rounded-control border bg-sunken px-3 py-2">
            <code className="min-w-0 flex-1 break-all font-mono text-[13px]">{made.key}</code>
            <CopyButton text={made.key} label={t("access.copy")} />
          </p>
          <p className="text-[13px] text-ink-2">{t("access.made_use")}</p>
          <div className="flex justify-end">
            <Button variant="primary" onClick={close}>
              {t("access.made_done")}
            </Button>
          </div>
        </div>
      ) : (
        <KeyForm onMade={setMade} onCancel={close} />
      )}
    </Dialog>
  );
}

function KeyForm({ onMade, onCancel }: { onMade: (key: NewApiKey) => void; onCancel: () => void }) {
  const { t } = useTranslation();
  const create = useCreateApiKey();
  const { register, handleSubmit, setError, formState, watch, setValue } = useForm<Form>({
    defaultValues: { name: "", role: "sender", life: "365", limit: "" },
  });
  const [role, life] = watch(["role", "life"]);
  const submit = handleSubmit((form) => {
    const input: ApiKeyInput = { name: form.name.trim(), role: form.role };
    if (form.life !== "never") {
      input.expires_at = new Date(Date.now() + Number(form.life) * 86_400_000).toISOString();
    }
    if (form.limit.trim()) input.logs_per_minute = Number(form.limit);
    create.mutate(
      { input, key: crypto.randomUUID() },
      {
        onSuccess: onMade,
        onError: (error) => {
          for (const { field, message } of error instanceof ApiError ? error.fields : []) {
            if (field === "name") setError("name", { message });
            else if (field === "logs_per_minute") setError("limit", { message });
          }
        },
      },
    );
  });
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-4">
      {create.isError && <ErrorPanel compact error={create.error} />}
      <Field label={t("access.name")} help={t("access.name_help")} error={formState.errors.name?.message}>
        {(props) => (
          <Input
            {...props}
            {...register("name", {
              validate: (text) => text.trim() !== "" || t("access.name_missing"),
              maxLength: { value: 255, message: t("access.name_long") },
            })}
            autoComplete="off"
          />
        )}
      </Field>
      <Field label={t("access.role")}>
        {({ id }) => (
          <Select
            id={id}
            label={t("access.role")}
            value={role}
            onChange={(value) => setValue("role", value)}
            options={roles.map((value) => ({
              value,
              label: t(`role.${value}`),
              detail: t(`access.role_${value}`),
            }))}
            className="w-full"
          />
        )}
      </Field>
      <Field label={t("access.life")}>
        {({ id }) => (
          <Select
            id={id}
            label={t("access.life")}
            value={life}
            onChange={(value) => setValue("life", value)}
            options={lives.map((value) => ({ value, label: t(`access.life_${value}`) }))}
            className="w-full"
          />
        )}
      </Field>
      <Field
        label={t("access.limit_label")}
        help={t("access.limit_help")}
        error={formState.errors.limit?.message}
      >
        {(props) => (
          <Input
            {...props}
            {...register("limit", {
              validate: (text) => /^\s*([1-9]\d{0,8})?\s*$/.test(text) || t("access.limit_invalid"),
            })}
            inputMode="numeric"
            className="num"
          />
        )}
      </Field>
      <div className="mt-1 flex justify-end gap-2">
        <Button onClick={onCancel}>{t("action.cancel")}</Button>
        <Button type="submit" variant="primary" busy={create.isPending}>
          {t("access.make")}
        </Button>
      </div>
    </form>
  );
}
