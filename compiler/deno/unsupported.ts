/** Warns of what an app uses and an isolate at the edge does not have. */
import { diagnosticsMax } from "../../core/limits.ts";
import { type Diagnostic, diagnostic, placeOf } from "../diagnostics.ts";
import { blankOut } from "./text.ts";

const DENO_NAMES = [
  "bundle",
  "chdir",
  "chmod",
  "chmodSync",
  "chown",
  "chownSync",
  "Command",
  "connect",
  "connectTls",
  "copyFile",
  "copyFileSync",
  "create",
  "createSync",
  "cron",
  "dlopen",
  "kill",
  "link",
  "linkSync",
  "listen",
  "listenDatagram",
  "listenTls",
  "makeTempDir",
  "makeTempDirSync",
  "makeTempFile",
  "makeTempFileSync",
  "mkdir",
  "mkdirSync",
  "open",
  "openKv",
  "openSync",
  "remove",
  "removeSync",
  "rename",
  "renameSync",
  "run",
  "startTls",
  "symlink",
  "symlinkSync",
  "truncate",
  "truncateSync",
  "watchFs",
  "writeFile",
  "writeFileSync",
  "writeTextFile",
  "writeTextFileSync",
];
const NODE_MODULES = [
  "child_process",
  "cluster",
  "dgram",
  "inspector",
  "net",
  "repl",
  "worker_threads",
];

const USES: readonly RegExp[] = [
  new RegExp(`\\bDeno\\s*\\.\\s*(?:${DENO_NAMES.join("|")})\\b(?!\\s*:)`, "g"),
  /\bnew\s+Worker\b/g,
];
const IMPORTS = new RegExp(
  `\\b(?:from|import|require)\\b\\s*(?:\\(\\s*)?(["'](?:node:)?(?:${NODE_MODULES.join("|")})["'])`,
  "g",
);
const PER_FILE_MAX = 20;
const TEXT_CHARACTERS_MAX = 8 * 1024 * 1024; // Nobody wrote a longer one by hand

/** One warning per place, for the source files of a bundle; at most `diagnosticsMax`. */
export function findUnsupported(sources: ReadonlyMap<string, string>): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const [file, text] of sources) {
    if (found.length < diagnosticsMax) found.push(...inFile(file, text));
  }
  return found.slice(0, diagnosticsMax).toSorted(byPlace);
}

function inFile(file: string, text: string): Diagnostic[] {
  if (text.length > TEXT_CHARACTERS_MAX) return [];
  const withStrings = blankOut(text, "comments");
  const code = blankOut(text, "comments and texts");
  const found = USES.flatMap((pattern) => firstOf(code.matchAll(pattern)));
  const first = [...found, ...firstOf(withStrings.matchAll(IMPORTS))];
  return first.slice(0, PER_FILE_MAX).map((match) => {
    const what = match[1] ?? match[0];
    const name = what.replace(/\s+/g, what.startsWith("new") ? " " : "").replace(/["']/g, "");
    return diagnostic("UNSUPPORTED_API", `${name} is not available at the edge.`, {
      severity: "warning",
      file,
      ...placeOf(text, match.index + match[0].length - what.length),
      length: what.length,
      fix: 'placement = "region" has it, in a container; this release serves no region yet.',
    });
  });
}

function firstOf<Match>(matches: Iterable<Match>): Match[] {
  const first: Match[] = [];
  for (const match of matches) {
    first.push(match);
    if (first.length === PER_FILE_MAX) break;
  }
  return first;
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1;
}
