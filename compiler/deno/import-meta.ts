/**
 * Gives each module of a bundle its own `import.meta` again. Bundling puts all modules into one,
 * so `main`, `url`, `filename` and `dirname` would be that one's.
 */
import type { Segment } from "./segments.ts";
import { tokensOf } from "./text.ts";

/** The folder that the app's tree appears to be in, as `Deno.cwd()` says at run time. */
export const appRoot = "/app";

const PROPERTY = /import\.meta\.(main|url|filename|dirname)\b/g;

/** Replaces the four properties. */
export function restoreImportMeta(segments: readonly Segment[], main: string): Segment[] {
  return segments.map(({ path, text }) => ({ path, text: replaceIn(text, path, path === main) }));
}

function replaceIn(block: string, path: string, isMain: boolean): string {
  const file = `${appRoot}/${path.replace(/^(?:\.\.\/)+/, "")}`;
  const values: Readonly<Record<string, string>> = {
    main: String(isMain),
    url: JSON.stringify(`file://${encodeURI(file)}`),
    filename: JSON.stringify(file),
    dirname: JSON.stringify(file.slice(0, file.lastIndexOf("/")) || "/"),
  };
  const restore = (code: string) =>
    code.replace(PROPERTY, (found, name: string) => (values[name] ?? found).padEnd(found.length));
  const parts: string[] = [];
  let at = 0;
  for (const { start, end } of tokensOf(block, "sure")) {
    parts.push(restore(block.slice(at, start)), block.slice(start, end));
    at = end;
  }
  return parts.join("") + restore(block.slice(at));
}
