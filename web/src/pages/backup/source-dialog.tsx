import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { FormProvider, useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/problem";
import { keys } from "@/api/queries";
import { useAddSource, useTestSource } from "@/api/sources";
import type { Source } from "@/api/types";
import { usePermission } from "@/app/services";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field, Input } from "@/ui/field";
import { ErrorPanel } from "@/ui/states";
import { Checks } from "../sources/checks";
import {
  type OptionsForm,
  optionOf,
  optionsOf,
  SourceOptions,
  settingsOf,
  sourceName,
} from "../sources/options";

type Form = OptionsForm & { name: string; dsn: string };

/** Adds a database, then tries it: what a backup needs is checked one thing at a time. */
export function SourceDialog({
  open,
  onClose,
  onRun,
}: {
  open: boolean;
  onClose: () => void;
  onRun: (sourceId: string) => void;
}) {
  const { t } = useTranslation();
  const [added, setAdded] = useState<Source | null>(null);
  const queries = useQueryClient();
  const test = useTestSource();
  const close = () => {
    setAdded(null);
    test.reset();
    onClose();
    void queries.invalidateQueries({ queryKey: keys.summary });
  };
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => !next && close()}
      title={added ? t("source_dialog.test_title", { name: added.name }) : t("source_dialog.title")}
      description={added ? undefined : t("source_dialog.text")}
    >
      {added ? (
        <Checks
          test={test}
          onRetry={() => test.mutate(added.id)}
          onDone={close}
          onRun={() => {
            close();
            onRun(added.id);
          }}
        />
      ) : (
        <SourceForm
          onAdded={(source) => {
            setAdded(source);
            test.mutate(source.id);
          }}
          onCancel={close}
        />
      )}
    </Dialog>
  );
}

function SourceForm({ onAdded, onCancel }: { onAdded: (source: Source) => void; onCancel: () => void }) {
  const { t } = useTranslation();
  const add = useAddSource();
  const allowed = usePermission("sources.write");
  const methods = useForm<Form>({ defaultValues: { name: "", dsn: "", ...optionsOf({}) } });
  const { register, handleSubmit, setError, formState } = methods;
  const [sent, setSent] = useState({ body: "", key: "" });
  const submit = handleSubmit((form) => {
    const source = {
      name: form.name.trim(),
      dsn: form.dsn.trim(),
      settings: settingsOf(form, {}),
    };
    const body = JSON.stringify(source);
    const key = sent.body === body ? sent.key : crypto.randomUUID();
    setSent({ body, key });
    add.mutate(
      { source, key },
      {
        onSuccess: onAdded,
        onError: (error) => {
          if (!(error instanceof ApiError)) return;
          for (const { field, message } of error.fields) {
            const name = field === "name" || field === "dsn" ? field : optionOf(field);
            if (name) setError(name, { message });
          }
        },
      },
    );
  });
  return (
    <FormProvider {...methods}>
      <form onSubmit={submit} noValidate className="flex flex-col gap-4">
        {add.isError && <ErrorPanel compact error={add.error} />}
        <Field
          label={t("source_dialog.name")}
          help={t("source_dialog.name_help")}
          error={formState.errors.name?.message}
        >
          {(props) => (
            <Input
              {...props}
              {...register("name", {
                required: t("source_dialog.name_missing"),
                pattern: { value: sourceName, message: t("source_dialog.name_pattern") },
              })}
              placeholder="loja"
              autoCapitalize="off"
              spellCheck={false}
            />
          )}
        </Field>
        <Field
          label={t("source_dialog.dsn")}
          help={t("source_dialog.dsn_help")}
          error={formState.errors.dsn?.message}
        >
          {(props) => (
            <Input
              {...props}
              {...register("dsn", { required: t("source_dialog.dsn_missing") })}
              placeholder="postgres://guarda@db.example.com:5432/loja?sslmode=require"
              autoCapitalize="off"
              autoComplete="off"
              spellCheck={false}
              className="font-mono text-[13px]"
            />
          )}
        </Field>
        <details open={formState.errors.jobs ? true : undefined}>
          <summary className="w-fit cursor-pointer rounded font-medium text-[13px]">
            {t("source_dialog.options")}
          </summary>
          <div className="mt-3 flex flex-col gap-4 border-line border-l-2 pl-4">
            <SourceOptions />
          </div>
        </details>
        <div className="mt-1 flex justify-end gap-2">
          <Button onClick={onCancel}>{t("action.cancel")}</Button>
          <Button
            type="submit"
            variant="primary"
            busy={add.isPending}
            reason={allowed ? null : t("permission.missing", { permission: "sources.write" })}
          >
            {add.isPending ? t("source_dialog.adding") : t("source_dialog.add")}
          </Button>
        </div>
      </form>
    </FormProvider>
  );
}
