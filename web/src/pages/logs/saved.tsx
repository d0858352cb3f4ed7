import { useQuery } from "@tanstack/react-query";
import { Bookmark, Plus, Trash2, Users } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { savedQuery, useForgetSearch, useSaveSearch } from "@/api/logs";
import { useServices } from "@/app/services";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { CheckField, Field, Input } from "@/ui/field";
import { Menu, MenuItem, MenuSeparator } from "@/ui/menu";
import { describe, ErrorPanel } from "@/ui/states";
import { fromSaved, isFiltered, type Query, type SetQuery, toSaved } from "./query";

/** Searches that somebody gave a name, and the way to give this one a name. */
export function SavedSearches({ query, set }: { query: Query; set: SetQuery }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const { data, isError, error } = useQuery(savedQuery(api));
  const [dialog, setDialog] = useState<"save" | "manage" | null>(null);
  const saved = data?.items ?? [];
  return (
    <>
      <Menu trigger={<Button icon={<Bookmark size={15} aria-hidden />}>{t("saved.title")}</Button>}>
        {saved.length === 0 && (
          <p className="max-w-64 px-2 py-1.5 text-[13px] text-ink-3">
            {isError ? describe(error, t).message : data ? t("saved.none") : t("state.loading")}
          </p>
        )}
        {saved.map((one) => (
          <MenuItem
            key={one.id}
            icon={one.shared ? <Users size={14} aria-hidden className="text-ink-3" /> : undefined}
            onClick={() => void set(fromSaved(one.query))}
          >
            <span className="max-w-64 truncate">{one.name}</span>
          </MenuItem>
        ))}
        <MenuSeparator />
        <MenuItem
          icon={<Plus size={14} aria-hidden className="text-ink-3" />}
          onClick={() => setDialog("save")}
        >
          {t("saved.save")}
        </MenuItem>
        {saved.some((one) => one.own) && (
          <MenuItem
            icon={<Trash2 size={14} aria-hidden className="text-ink-3" />}
            onClick={() => setDialog("manage")}
          >
            {t("saved.manage")}
          </MenuItem>
        )}
      </Menu>
      {dialog === "save" && <SaveDialog query={query} onClose={() => setDialog(null)} />}
      {dialog === "manage" && <ManageDialog onClose={() => setDialog(null)} />}
    </>
  );
}

function SaveDialog({ query, onClose }: { query: Query; onClose: () => void }) {
  const { t } = useTranslation();
  const save = useSaveSearch();
  const { register, handleSubmit, formState } = useForm({ defaultValues: { name: "", shared: false } });
  const empty = !isFiltered(query) && !query.start;
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t("saved.save")}>
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={handleSubmit((form) =>
          save.mutate(
            { name: form.name.trim(), shared: form.shared, query: toSaved(query) },
            { onSuccess: onClose },
          ),
        )}
      >
        {save.isError && <ErrorPanel compact error={save.error} />}
        <Field label={t("saved.name")} error={formState.errors.name?.message}>
          {(props) => (
            <Input
              {...props}
              {...register("name", {
                validate: (name) => name.trim() !== "" || t("saved.name_missing"),
                maxLength: { value: 200, message: t("saved.name_long") },
              })}
            />
          )}
        </Field>
        <CheckField label={t("saved.shared")} help={t("saved.shared_help")} {...register("shared")} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button
            type="submit"
            variant="primary"
            busy={save.isPending}
            reason={empty ? t("saved.empty") : null}
          >
            {t("saved.submit")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function ManageDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const { api } = useServices();
  const { data } = useQuery(savedQuery(api));
  const forget = useForgetSearch();
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t("saved.manage")}>
      {forget.isError && <ErrorPanel compact error={forget.error} />}
      <ul className="divide-y divide-line">
        {data?.items
          .filter((one) => one.own)
          .map((one) => (
            <li key={one.id} className="flex items-center gap-3 py-2">
              <span className="min-w-0 flex-1 truncate">{one.name}</span>
              <Button
                size="sm"
                variant="ghost"
                aria-label={t("saved.forget", { name: one.name })}
                icon={<Trash2 size={15} aria-hidden />}
                busy={forget.isPending && forget.variables === one.id}
                onClick={() => forget.mutate(one.id)}
              />
            </li>
          ))}
      </ul>
    </Dialog>
  );
}
