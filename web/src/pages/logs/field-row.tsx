import clsx from "clsx";
import { Columns3, Filter, FilterX, type LucideIcon } from "lucide-react";
import { useTranslation } from "react-i18next";
import { CopyButton } from "@/ui/states";

/** One value of an entry, and what can be done with it. */
export function FieldRow({
  name,
  value,
  onInclude,
  onExclude,
  column = false,
  onColumn,
}: {
  name: string;
  value: string;
  onInclude?: () => void;
  onExclude?: () => void;
  /** Whether the list shows it in a column of its own. */
  column?: boolean;
  onColumn?: () => void;
}) {
  const { t } = useTranslation();
  return (
    <div className="flex min-h-8 items-start gap-2 border-line border-b py-1 last:border-b-0">
      <dt className="w-[104px] shrink-0 break-words pt-0.5 text-[12px] text-ink-3 leading-[18px]">{name}</dt>
      <dd className="min-w-0 flex-1 break-words pt-0.5 font-mono text-[12.5px]">{value}</dd>
      <dd className="flex shrink-0">
        {onInclude && <Act icon={Filter} label={t("log.include", { name, value })} onClick={onInclude} />}
        {onExclude && <Act icon={FilterX} label={t("log.exclude", { name, value })} onClick={onExclude} />}
        {onColumn && (
          <Act
            icon={Columns3}
            label={t(column ? "log.no_column" : "log.column", { name })}
            onClick={onColumn}
            on={column}
          />
        )}
        <CopyButton text={value} label={t("log.copy_value", { name })} />
      </dd>
    </div>
  );
}

function Act({
  icon: Icon,
  label,
  onClick,
  on = false,
}: {
  icon: LucideIcon;
  label: string;
  onClick: () => void;
  on?: boolean;
}) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={onClick}
      className={clsx(
        "inline-flex size-6 items-center justify-center rounded hover:bg-hover hover:text-ink",
        on ? "text-accent" : "text-ink-3",
      )}
    >
      <Icon size={13} aria-hidden />
    </button>
  );
}
