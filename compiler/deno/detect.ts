/** Finds out what kind of Deno app a tree is: where it starts, and which files steer deno. */
import { type Diagnostic, diagnostic, suggestionFor } from "../diagnostics.ts";

/** A program with a start module, or a folder of static files. */
export type DenoApp = { kind: "program"; main: string } | { kind: "static" };

const MAINS = ["main.ts", "main.tsx", "main.js", "main.jsx", "main.mts", "main.mjs", "mod.ts"];

const MODULE = /\.[cm]?[jt]sx?$/;

/** What to compile, or why nothing can be. `wanted` is the manifest's `main`. */
export function detectDenoApp(
  files: readonly string[],
  wanted: string | undefined,
  hasAssets: boolean,
): DenoApp | Diagnostic {
  if (wanted !== undefined && !MODULE.test(wanted)) return notAModule(wanted);
  if (wanted !== undefined)
    return files.includes(plain(wanted))
      ? { kind: "program", main: plain(wanted) }
      : missing(wanted, files);
  const main = MAINS.find((name) => files.includes(name));
  if (main !== undefined) return { kind: "program", main };
  if (hasAssets) return { kind: "static" };
  return diagnostic("MAIN_MISSING", `There is none of ${MAINS.join(", ")}.`, {
    fix: 'Name the start module in ignite.toml: main = "src/server.ts".',
  });
}

function notAModule(wanted: string): Diagnostic {
  return diagnostic("MAIN_MISSING", `The start module "${wanted}" is not a script.`, {
    file: "ignite.toml",
    fix: "Name a .ts, .tsx, .js, .jsx, .mts or .mjs file.",
  });
}

function missing(wanted: string, files: readonly string[]): Diagnostic {
  const near = suggestionFor(wanted, files);
  return diagnostic("MAIN_MISSING", `The start module "${wanted}" is not in the source tree.`, {
    file: "ignite.toml",
    fix: near === undefined ? "Correct main in ignite.toml." : `Did you mean "${near}"?`,
  });
}

function plain(path: string): string {
  return path.replace(/^(?:\.\/)+/, "");
}
