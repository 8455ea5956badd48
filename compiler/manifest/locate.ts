/** Finds where a key stands in a TOML text, since the parser keeps no places. */

/** The place of a key; line 0 when it stands nowhere by itself. */
export interface Place {
  line: number;
  column: number;
  length: number;
  lineText: string;
}

/** A key or header, in the text that it stands in. */
interface Mark {
  lineText: string;
  at: number;
  what: string;
  isHeader: boolean;
}

const HEADER = /^\s*\[([^\]]+)\]/;
const KEY = /^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|[\w-]+))*)\s*=/;

/**
 * Reads a text once, then finds the place of a path: its `key =` under the right header, its
 * dotted or inline form, or else the header of its table.
 */
export function locator(text: string): (path: readonly string[]) => Place {
  const first = new Map<string, Mark>();
  const last = new Map<string, Mark>();
  const note = (name: string, mark: Mark) => {
    if (!first.has(name)) first.set(name, mark);
    last.set(name, mark);
  };
  let table = "";
  for (const [at, lineText] of text.split(/\r?\n/).entries()) {
    const header = HEADER.exec(lineText)?.[1]?.trim();
    if (header !== undefined) table = unquote(header);
    if (header !== undefined) note(table, { lineText, at, what: header, isHeader: true });
    const key = KEY.exec(lineText)?.[1];
    if (key === undefined) continue;
    const full = [table, unquote(key)].filter((part) => part !== "").join(".");
    note(full, { lineText, at, what: key, isHeader: false });
  }
  return (path) => {
    const exact = first.get(path.join("."));
    if (exact !== undefined) return place(exact.lineText, exact.at, exact.what);
    const near = last.get(path[0] ?? "");
    if (near === undefined) return { line: 0, column: 0, length: 0, lineText: "" };
    const inner = path.at(-1) ?? "";
    const isInline = !near.isHeader && near.lineText.includes(inner);
    return place(near.lineText, near.at, isInline ? inner : near.what);
  };
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
