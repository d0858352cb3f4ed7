import { UserX } from "lucide-react";
import { parseAsString, useQueryStates } from "nuqs";
import { useTranslation } from "react-i18next";
import type { Subject } from "@/api/erasures";
import { usePermission } from "@/app/services";
import { EmptyState } from "@/ui/states";
import { ErasureList } from "./list";
import { Preview } from "./preview";
import { SubjectForm } from "./subject-form";

/** Whose entries are erased, how many those are, and what was erased before. */
export function Erasures() {
  const { t } = useTranslation();
  const allowed = usePermission("logs.manage");
  const [{ user, session }, set] = useQueryStates(
    { user: parseAsString.withDefault(""), session: parseAsString.withDefault("") },
    { history: "push" },
  );
  const subject: Subject = { user_id: user || undefined, session_id: session || undefined };
  const named = Boolean(user || session);
  return (
    <div className="flex flex-col gap-4">
      <title>{`${t("page.erasures")} · Guarda`}</title>
      <div>
        <h1 className="font-semibold text-[19px] leading-6 tracking-[-0.012em]">{t("erasures.title")}</h1>
        <p className="mt-0.5 max-w-[84ch] text-ink-2">{t("erasures.text")}</p>
      </div>
      {allowed ? (
        <>
          <div className="card grid lg:grid-cols-2 lg:divide-x lg:divide-line">
            <SubjectForm
              // Another subject in the address, by a link or the back button, is what the form shows.
              key={`${user} ${session}`}
              user={user}
              session={session}
              onFind={(next) => void set({ user: next.user || null, session: next.session || null })}
            />
            <div className="border-t p-4 md:p-5 lg:border-t-0">
              {named ? (
                <Preview
                  key={`${user} ${session}`}
                  subject={subject}
                  onDone={() => void set({ user: null, session: null })}
                />
              ) : (
                <EmptyState icon={<UserX size={20} aria-hidden />} title={t("erasures.nobody")}>
                  {t("erasures.nobody_text")}
                </EmptyState>
              )}
            </div>
          </div>
          <ErasureList />
        </>
      ) : (
        <div className="card">
          <EmptyState icon={<UserX size={20} aria-hidden />} title={t("erasures.hidden")}>
            {t("permission.missing", { permission: "logs.manage" })}
          </EmptyState>
        </div>
      )}
    </div>
  );
}
