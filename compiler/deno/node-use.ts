/**
 * Whether bundled code needs what Node has. An isolate with Node's modules starts three times
 * slower, so a mere mention of `process` must not count: only imports, and globals that a module
 * uses without asking first whether they are there.
 */
import type { Segment } from "./segments.ts";
import { blankOut } from "./text.ts";

const IMPORT = /\bfrom\s*"node:|\bimport\s*(?:\(\s*)?"node:|require\("node:/;
const GLOBALS = [
  { name: "process", use: /(?<![\w$.])process\s*(?:\?\.|\.|\[)/ },
  { name: "Buffer", use: /(?<![\w$.])Buffer\s*(?:\?\.|\.|\[)/ },
  { name: "global", use: /(?<![\w$.])global\s*(?:\?\.|\.|\[)/ },
  { name: "setImmediate", use: /(?<![\w$.])setImmediate\s*\(/ },
].map(({ name, use }) => ({
  use,
  known: new RegExp(`\\btypeof ${name}\\b|\\b(?:var|let|const|function|class) ${name}\\b`),
}));

/** Looks at each module by itself. */
export function usesNode(segments: readonly Segment[]): boolean {
  return segments.some(({ text }) => {
    if (IMPORT.test(text)) return true;
    if (!GLOBALS.some(({ use }) => use.test(text))) return false;
    const code = blankOut(text, "comments and texts");
    return GLOBALS.some(({ use, known }) => use.test(code) && !known.test(code));
  });
}
