/**
 * Gives each module of a bundle its own `import.meta` again. Bundling puts all modules into one,
 * so `main`, `url`, `filename` and `dirname` would be that one's.
 */
import type { Segment } from "./segments.ts";

/** The folder that the app's tree appears to be in, as `Deno.cwd()` says at run time. */
export const appRoot = "/app";

const TOKEN =
  /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\*[\s\S]*?\*\/|import\.meta\.(main|url|filename|dirname)\b/g;

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
  return block.replace(TOKEN, (found, name: string | undefined) =>
    name === undefined ? found : (values[name] ?? found).padEnd(found.length),
  );
}
