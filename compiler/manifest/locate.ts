/** Finds where a key stands in a TOML text, since the parser keeps no places. */

/** The place of a key; line 0 when it stands nowhere by itself. */
export interface Place {
  line: number;
  column: number;
  length: number;
  lineText: string;
}

/**
 * The place of `path`: its `key =` under the right header, its dotted or inline form, or else the
 * header of its table.
 */
export function locate(text: string, path: readonly string[]): Place {
  const lines = text.split(/\r?\n/);
  const last = path.at(-1) ?? "";
  let table = "";
  let fallback: Place | undefined;
  for (const [at, lineText] of lines.entries()) {
    const header = /^\s*\[\s*([^\]]+?)\s*\]/.exec(lineText)?.[1];
    if (header !== undefined) table = unquote(header);
    if (header !== undefined && table === path.join(".")) return place(lineText, at, header);
    if (header !== undefined && table === path[0]) fallback = place(lineText, at, header);
    const key = /^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|[\w-]+))*)\s*=/.exec(
      lineText,
    )?.[1];
    if (key === undefined) continue;
    const full = [table, unquote(key)].filter((part) => part !== "").join(".");
    if (full === path.join(".")) return place(lineText, at, key);
    if (full === path[0]) fallback = place(lineText, at, lineText.includes(last) ? last : key);
  }
  return fallback ?? { line: 0, column: 0, length: 0, lineText: "" };
}

function place(lineText: string, at: number, what: string): Place {
  return { line: at + 1, column: lineText.indexOf(what) + 1, length: what.length, lineText };
}

function unquote(key: string): string {
  return key
    .split(".")
    .map((part) => part.trim().replace(/^(["'])(.*)\1$/, "$2"))
    .join(".");
}
