/** Each leaf of the metadata with its path; lists are shown whole, since the search has no path into them. */
export function flatten(metadata: Record<string, unknown>, prefix = ""): [string, string, boolean][] {
  return Object.entries(metadata).flatMap(([name, value]): [string, string, boolean][] => {
    const path = prefix + name;
    if (isObject(value)) return flatten(value, `${path}.`);
    return [[path, textOf(value), ["string", "number", "boolean"].includes(typeof value)]];
  });
}

/** The member at a path; keys may have dots themselves, as `http.status` often is one. */
export function valueAt(metadata: Record<string, unknown>, path: string): unknown {
  if (Object.hasOwn(metadata, path)) return metadata[path];
  for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1)) {
    const inner = metadata[path.slice(0, dot)];
    const found = isObject(inner) ? valueAt(inner, path.slice(dot + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

export function textOf(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);
