import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/ui/button";
import { isFiltered, noFilters, type Query, type SetQuery } from "./query";
import { usePatternName } from "./template";

/** The filters that no other control shows, each with its way out. */
export function Chips({ query, set }: { query: Query; set: SetQuery }) {
  const { t } = useTranslation();
  if (!isFiltered(query)) return null;
  const without = (list: string[], one: string) => list.filter((other) => other !== one);
  const not = (text: string) => t("logs.not", { filter: text });
  return (
    <div className="flex flex-wrap items-center gap-1.5">
      {query.q && <Chip text={`${t("logs.term")}: ${query.q}`} onClear={() => set({ q: "" })} />}
      {query.level.map((one) => (
        <Chip
          key={one}
          text={`${t("logs.level")}: ${t(`level.${one}`)}`}
          onClear={() => set({ level: query.level.filter((other) => other !== one) })}
        />
      ))}
      {query.from.map((one) => (
        <Chip
          key={one}
          text={`${t("logs.source")}: ${one}`}
          onClear={() => set({ from: without(query.from, one) })}
        />
      ))}
      {query.not_from.map((one) => (
        <Chip
          key={`not ${one}`}
          text={not(`${t("logs.source")}: ${one}`)}
          onClear={() => set({ not_from: without(query.not_from, one) })}
          excludes
        />
      ))}
      {query.pattern && <PatternChip id={query.pattern} onClear={() => set({ pattern: null })} />}
      {query.not_pattern.map((one) => (
        <PatternChip
          key={one}
          id={one}
          onClear={() => set({ not_pattern: without(query.not_pattern, one) })}
          excludes
        />
      ))}
      {query.user && <Chip text={`${t("log.user")}: ${query.user}`} onClear={() => set({ user: null })} />}
      {query.session && (
        <Chip text={`${t("log.session")}: ${query.session}`} onClear={() => set({ session: null })} />
      )}
      {query.meta.map((one) => (
        <Chip key={one} text={one} onClear={() => set({ meta: without(query.meta, one) })} />
      ))}
      {query.not_meta.map((one) => (
        <Chip
          key={`not ${one}`}
          text={not(one)}
          onClear={() => set({ not_meta: without(query.not_meta, one) })}
          excludes
        />
      ))}
      <Button size="sm" variant="ghost" onClick={() => set(noFilters)}>
        {t("action.clear_filters")}
      </Button>
    </div>
  );
}

function PatternChip({ id, onClear, excludes }: { id: string; onClear: () => void; excludes?: boolean }) {
  const { t } = useTranslation();
  const text = `${t("logs.pattern")}: ${usePatternName(id)}`;
  return (
    <Chip text={excludes ? t("logs.not", { filter: text }) : text} onClear={onClear} excludes={excludes} />
  );
}

function Chip({
  text,
  onClear,
  excludes = false,
}: {
  text: string;
  onClear: () => void;
  excludes?: boolean;
}) {
  const { t } = useTranslation();
  return (
    <button
      type="button"
      aria-label={t("logs.remove_filter", { filter: text })}
      title={text}
      onClick={onClear}
      className={
        excludes
          ? "inline-flex h-7 max-w-[min(100%,26rem)] items-center gap-1.5 rounded-full border border-bad/40 bg-bad-soft px-2.5 text-[13px] hover:border-bad"
          : "inline-flex h-7 max-w-[min(100%,26rem)] items-center gap-1.5 rounded-full border border-accent/40 bg-accent-soft px-2.5 text-[13px] hover:border-accent"
      }
    >
      <span className="truncate">{text}</span>
      <X size={13} aria-hidden className="shrink-0 text-ink-3" />
    </button>
  );
}
