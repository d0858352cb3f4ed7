/** The mark: a shield whose inside is a G that watches. */
export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className="shrink-0">
      <path
        d="M16 2.5 4.5 6.6v8.9c0 7 4.7 11.8 11.5 14 6.8-2.2 11.5-7 11.5-14V6.6z"
        className="fill-[#0e6377] dark:fill-accent"
      />
      <path
        d="M21.6 12.1a6.6 6.6 0 1 0 .9 5.4h-5.6"
        fill="none"
        strokeWidth="2.7"
        strokeLinecap="round"
        strokeLinejoin="round"
        className="stroke-white dark:stroke-on-accent"
      />
    </svg>
  );
}

export function Wordmark({ size = 24 }: { size?: number }) {
  return (
    <span className="flex items-center gap-2.5">
      <Logo size={size} />
      <span className="font-[650] text-[17px] text-ink tracking-[-0.02em]">Guarda</span>
    </span>
  );
}
