import { useNow } from "@/app/now";
import { type DateStyle, formatUtc } from "@/format/time";
import { useFormat } from "@/format/use-format";
import { Tooltip } from "./tooltip";

/** A moment in the reader's zone, or how long ago; the other and UTC on hover and focus. */
export function Time({
  iso,
  relative = false,
  style = "short",
  focusable = false,
}: {
  iso: string;
  relative?: boolean;
  style?: DateStyle;
  focusable?: boolean;
}) {
  const format = useFormat();
  const now = useNow();
  const text = relative ? format.relative(iso, now) : format.dateTime(iso, style);
  return (
    <Tooltip text={`${relative ? `${format.dateTime(iso, "full")} · ` : ""}${formatUtc(iso)}`}>
      <time dateTime={iso} className="num whitespace-nowrap" tabIndex={focusable ? 0 : undefined}>
        {text}
      </time>
    </Tooltip>
  );
}
