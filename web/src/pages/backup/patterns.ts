/** "public.orders, sales.*" as a list; commas, spaces and lines part the patterns. */
export function parsePatterns(text: string): string[] {
  // A quoted name may hold anything, also a space or a comma.
  return text.match(/(?:"[^"]*"|[^\s,"])+/g) ?? [];
}
