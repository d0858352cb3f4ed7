import { useQuery } from "@tanstack/react-query";
import { patternQuery } from "@/api/patterns";
import { useServices } from "@/app/services";

const hole = "<*>";

/** A pattern's template; what changes from message to message is set apart, or only tinted where it is tight. */
export function Template({ text, tight = false }: { text: string; tight?: boolean }) {
  const parts = text.split(hole);
  return (
    <>
      {parts.map((part, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text have no other identity
        <span key={i}>
          {part}
          {i < parts.length - 1 && (
            <span
              className={tight ? "text-ink-3" : "mx-px rounded-[3px] bg-accent-soft px-[3px] text-accent"}
            >
              {hole}
            </span>
          )}
        </span>
      ))}
    </>
  );
}

/** The template of a pattern that is known by its id; the id until it is there. */
export function usePatternName(id: string | null): string {
  const { api } = useServices();
  const { data } = useQuery({ ...patternQuery(api, id ?? ""), enabled: id !== null });
  return data?.template ?? id ?? "";
}
