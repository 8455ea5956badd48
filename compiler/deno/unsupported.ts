/** Warns of what an app uses and an isolate at the edge does not have. */
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
  `(?<=\\b(?:from|import|require)\\b\\s*\\(?\\s*)["'](?:node:)?(?:${NODE_MODULES.join("|")})["']`,
  "g",
);
const PER_FILE_MAX = 20;

/** One warning per place, for the source files of a bundle. */
export function findUnsupported(sources: ReadonlyMap<string, string>): Diagnostic[] {
  return [...sources].flatMap(([file, text]) => inFile(file, text)).toSorted(byPlace);
}

function inFile(file: string, text: string): Diagnostic[] {
  const withStrings = blankOut(text, "comments");
  const code = blankOut(text, "comments and texts");
  const uses = USES.flatMap((pattern) => [...code.matchAll(pattern)]);
  return [...uses, ...withStrings.matchAll(IMPORTS)].slice(0, PER_FILE_MAX).map((match) => {
    const name = match[0]
      .replace(/\s+/g, match[0].startsWith("new") ? " " : "")
      .replace(/["']/g, "");
    return diagnostic("UNSUPPORTED_API", `${name} is not available at the edge.`, {
      severity: "warning",
      file,
      ...placeOf(text, match.index),
      length: match[0].length,
      fix: "Do without it: it needs a container, and this release runs none.",
    });
  });
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1;
}
