import { CircleAlert } from "lucide-react";
import { type ReactNode, useId } from "react";

/** A subject on the left, its controls on the right; one below the other on a phone. */
export function Section({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      className="card grid gap-x-8 gap-y-4 p-4 md:p-5 lg:grid-cols-[260px_minmax(0,1fr)]"
    >
      <div>
        <h2 id={id} className="font-semibold">
          {title}
        </h2>
        <p className="mt-1 text-[13px] text-ink-2 leading-[19px]">{text}</p>
      </div>
      <div className="flex min-w-0 flex-col gap-4">{children}</div>
    </section>
  );
}

export function FieldError({ text }: { text?: string }) {
  if (!text) return null;
  return (
    <p role="alert" className="mt-1 flex items-start gap-1.5 text-[13px] text-bad leading-[18px]">
      <CircleAlert size={14} aria-hidden className="mt-0.5 shrink-0" />
      {text}
    </p>
  );
}
