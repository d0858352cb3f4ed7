import { Pencil, PlugZap, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Source } from "@/api/types";
import { usePermission } from "@/app/services";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { presetLabel } from "./options";

type Props = {
  sources: Source[];
  onTest: (source: Source) => void;
  onEdit: (id: string) => void;
  onForget: (source: Source) => void;
};

export function SourceList({ sources, onTest, onEdit, onForget }: Props) {
  const { t } = useTranslation();
  const missing = (permission: string) => t("permission.missing", { permission });
  const noWrite = usePermission("sources.write") ? null : missing("sources.write");
  const noTest = usePermission("sources.test") ? null : missing("sources.test");
  return (
    <ul aria-label={t("sources.list")} className="card divide-y divide-line">
      {sources.map((source) => (
        <li key={source.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3">
          <div className="min-w-0 flex-1 basis-[260px]">
            <p className="flex flex-wrap items-center gap-x-2.5 gap-y-0.5">
              <span className="min-w-0 break-words font-semibold">{source.name}</span>
              {source.is_default && (
                <span className="rounded bg-sunken px-1.5 text-[12px] text-ink-2 leading-5">
                  {t("sources.default")}
                </span>
              )}
            </p>
            <p className="break-all font-mono text-[12.5px] text-ink-2 leading-5">
              {source.username}@{source.host}:{source.port}/{source.database}
            </p>
            <Settings source={source} />
          </div>
          <div className="flex items-center gap-2">
            <Button
              size="sm"
              icon={<PlugZap size={14} aria-hidden />}
              aria-label={t("sources.test_of", { name: source.name })}
              reason={noTest}
              onClick={() => onTest(source)}
            >
              {t("sources.test")}
            </Button>
            <Button
              size="sm"
              variant="ghost"
              icon={<Pencil size={15} aria-hidden />}
              aria-label={t("schedules.edit_of", { name: source.name })}
              reason={noWrite}
              onClick={() => onEdit(source.id)}
            />
            <Button
              size="sm"
              variant="ghost"
              icon={<Trash2 size={15} aria-hidden />}
              aria-label={t("sources.forget_of", { name: source.name })}
              reason={noWrite}
              onClick={() => onForget(source)}
            />
          </div>
        </li>
      ))}
    </ul>
  );
}

/** What differs from one database to the next, in a line. */
function Settings({ source: { settings: s } }: { source: Source }) {
  const { t } = useTranslation();
  const format = useFormat();
  const jobs = s.jobs ?? 2;
  const parts = [
    `${t("source_dialog.preset")}: ${t(presetLabel(s.preset ?? "auto"))}`,
    s.managed_data?.length ? t("sources.with_rows", { schemas: s.managed_data.join(", ") }) : "",
    t(s.strict ? "sources.strict" : "sources.not_strict"),
    t("sources.jobs", { count: jobs, formatted: format.number(jobs) }),
    s.exclude?.length ? t("sources.without", { patterns: s.exclude.join(", ") }) : "",
  ];
  return <p className="break-words text-[13px] text-ink-3">{parts.filter(Boolean).join(" · ")}</p>;
}
