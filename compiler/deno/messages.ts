/**
 * Turns what deno and its esbuild print into diagnostics. Their text is for people and has no
 * machine form, so this knows its few shapes; what it does not know is passed on as it is.
 */
import { diagnosticsMax } from "../../core/limits.ts";
import { type Diagnostic, type DiagnosticId, diagnostic } from "../diagnostics.ts";
import { guestCache, guestSource } from "./guest-paths.ts";
import { decoded } from "./text.ts";

const LINE_CHARACTERS_MAX = 100_000; // Columns behind that are of minified code
const TEXT_CHARACTERS_MAX = 8 * 1024 * 1024; // Nobody wrote a longer one by hand
const NAME_CHARACTERS_MAX = 512; // It is compared with what stands behind every quote

/** What deno wrote about one thing: the message's lines and, if it says so, the place. */
interface Report {
  text: string;
  /** What deno gives as the cause, line by line. */
  causes: string[];
  place: { url: string; line: number; column: number } | undefined;
}

const PLACE = /^\s+at (.*):(\d+):(\d+)\)?$/;
const URL_OF_PLACE = /^[a-z]+:\S+$/;
const HEAD = /^(?:error: |(TS\d+) \[(?:ERROR|WARN)\]: )(.*)$/;
const NOISE =
  /^(?:error: )?(?:bundling failed|Type checking failed\.?|Found \d+ errors?\.?|Stack backtrace:|\s+\d+: <unknown>)$/;

/** A kind of message, told by its wording (causes included). */
interface Kind {
  pattern: RegExp;
  id: DiagnosticId;
  /** Said instead of deno's own words, where those speak of flags that nobody can pass here. */
  message?: string;
  fix?: string;
}

/** The first that fits wins. */
const KINDS: readonly Kind[] = [
  { pattern: /^TS\d+/, id: "TYPE" },
  {
    pattern: /lockfile is out of date/i,
    id: "LOCK_OUTDATED",
    message: "The lock file disagrees with the imports of the source.",
    fix: "Run `deno install` in the app's folder and deploy again with the new deno.lock.",
  },
  {
    pattern: /lockfile|Integrity check failed|checksum did not match/i,
    id: "LOCK_OUTDATED",
    fix: "Remove deno.lock, run `deno install` in the app's folder and look at what changed.",
  },
  {
    pattern: /^Requires import access/,
    id: "UNRESOLVED_IMPORT",
    message: "Modules may not be imported from this host.",
    fix: "Take it from npm: or jsr:, or copy it into the app's folder.",
  },
  { pattern: /^No matching export/, id: "MISSING_EXPORT" },
  {
    pattern:
      /npm package .{1,300} (?:does not exist|not found)|Could not find (?:npm )?(?:package|version|constraint)|^Failed (?:loading|caching)|error sending request|JSR package/i,
    id: "PACKAGE_FETCH",
    fix: "Check the package's name and version.",
  },
  {
    pattern:
      /Module not found|Cannot (?:find|resolve)|not a dependency|Relative import path|Could not resolve|Unsupported scheme|Do not know how to load/i,
    id: "UNRESOLVED_IMPORT",
  },
  {
    pattern: /config file|deno\.jsonc?|package\.json|import map|workspace|link member/i,
    id: "CONFIG_INVALID",
  },
  { pattern: /^SyntaxError|Expected|Unexpected|Unterminated|in JSON/i, id: "SYNTAX" },
];

const UNKNOWN: Kind = { pattern: /^/, id: "TOOL_MESSAGE" };

/** Collects the lines of stderr and answers the diagnostics in them. */
export class DenoMessages {
  readonly #lines: string[] = [];
  readonly #step: "fetch" | "bundle";
  #reporting = false;

  constructor(step: "fetch" | "bundle") {
    this.#step = step;
  }

  /** Takes one line; answers whether it belongs to a report, which ends up as a diagnostic. */
  add(line: string): boolean {
    this.#lines.push(line);
    this.#reporting ||= HEAD.test(line);
    return this.#reporting;
  }

  /**
   * Everything said so far, `diagnosticsMax` at most. `read` gives the text of a file of the source
   * tree, and is asked once for each.
   */
  async diagnostics(read: (path: string) => Promise<string | undefined>): Promise<Diagnostic[]> {
    const files = new Map<string, Promise<readonly string[]>>();
    const readLines = (path: string) => {
      const lines = files.get(path) ?? read(path).then(linesOf);
      files.set(path, lines);
      return lines;
    };
    const found: Diagnostic[] = [];
    for (const report of reportsOf(this.#lines).slice(0, diagnosticsMax)) {
      found.push(await toDiagnostic(report, this.#step, readLines));
    }
    return found;
  }
}

function linesOf(text: string | undefined): readonly string[] {
  return text === undefined || text.length > TEXT_CHARACTERS_MAX ? [] : text.split(/\r?\n/);
}

function reportsOf(lines: readonly string[]): Report[] {
  const reports: Report[] = [];
  let current: Report | undefined;
  let inCauses = false;
  for (const line of lines) {
    if (line.startsWith("Stack backtrace:")) break;
    const head = HEAD.exec(line);
    if (head !== null && !NOISE.test(line)) {
      const text = [head[1], head[2]].filter(Boolean).join(" ");
      current = { text, causes: [], place: undefined };
      inCauses = false;
      reports.push(current);
      continue;
    }
    if (NOISE.test(line)) {
      current = undefined;
      continue;
    }
    const cause = /^\s+\d+: (.*)$/.exec(line)?.[1] ?? (inCauses ? line : "");
    if (line === "Caused by:") inCauses = true;
    else if (cause.trim() !== "") current?.causes.push(cause.trim());
    if (current !== undefined) current.place ??= placeIn(line);
  }
  return reports;
}

/** `at URL:1:2`, or `at something (URL:1:2)`. */
function placeIn(line: string): Report["place"] {
  const [, where = "", row = "0", column = "0"] = PLACE.exec(line) ?? [];
  const url = [where.slice(where.lastIndexOf("(") + 1), where].find((each) =>
    URL_OF_PLACE.test(each),
  );
  return url === undefined ? undefined : { url, line: Number(row), column: Number(column) };
}

async function toDiagnostic(
  report: Report,
  step: "fetch" | "bundle",
  read: (path: string) => Promise<readonly string[]>,
): Promise<Diagnostic> {
  const whole = [report.text, ...report.causes].join("\n");
  const kind = KINDS.find(({ pattern }) => pattern.test(whole)) ?? UNKNOWN;
  const said = report.place ?? configPlace(report);
  const file = said === undefined ? "" : sourcePath(said.url);
  const lines = file === "" ? [] : await read(file);
  const named = placeOfName(report, lines);
  const line = named?.line ?? (file === "" ? 0 : (said?.line ?? 0));
  const lineText = (lines[line - 1] ?? "").slice(0, LINE_CHARACTERS_MAX);
  const column = named?.column ?? (file === "" ? 0 : columnOf(report, step, lineText));
  const outside = /"file:\/\/(?!\/ignite\/src\/)[^"]*"/.test(report.text);
  const elsewhere = said === undefined || file !== "" ? [] : [`in ${packagePath(said)}`];
  return diagnostic(outside ? "OUTSIDE_IMPORT" : kind.id, kind.message ?? readable(report.text), {
    file,
    line,
    column,
    length: lengthAt(lineText, column),
    lineText,
    notes: [...elsewhere, ...report.causes.map(readable)],
    ...fixOf(report.text, lineText, outside, kind.fix),
  });
}

/** Errors about deno.json and its like name the file in the text and the place in the cause. */
function configPlace(report: Report): Report["place"] {
  const path = /'(?:file:\/\/)?(\/ignite\/src\/[^']+)'/.exec(report.text)?.[1];
  const at = /line (\d+),? column (\d+)/.exec(report.causes.join(" "));
  if (path === undefined) return undefined;
  return { url: `file://${path}`, line: Number(at?.[1] ?? 0), column: Number(at?.[2] ?? 0) };
}

/** A place in a package, as people name packages. */
function packagePath({ url, line }: NonNullable<Report["place"]>): string {
  const npm = /\/npm\/[^/]+\/((?:@[^/]+\/)?[^/]+)\/([^/]+)\/(.*)$/.exec(url);
  return npm === null ? `${readable(url)}:${line}` : `npm:${npm[1]}@${npm[2]}/${npm[3]}:${line}`;
}

function fixOf(text: string, lineText: string, outside: boolean, fix: string | undefined) {
  const fromSource = /\bimport source (\S+) from ("[^"]+"|'[^']+')/.exec(lineText);
  if (fromSource !== null) return { fix: `Write: import ${fromSource[1]} from ${fromSource[2]};` };
  if (outside) return { fix: "Only files of the app's folder can be imported; copy it there." };
  const bare = /(?:Import|Could not resolve|Relative import path) "([^"./][^"]*)"/.exec(text);
  const name = bare?.[1];
  if (name === undefined) return { fix };
  const scheme = name.startsWith("@std/") ? "jsr" : "npm";
  return { fix: `Add it to "imports" in deno.json: "${name}": "${scheme}:${name}".` };
}

const SPECIFIER =
  /^(?:Import|Could not resolve|Relative import path|Could not find constraint) ["']([^"']+)["']/;
const IMPORTED_NAME = /^No matching export .* for import "([^"]+)"/;

/**
 * Where the import stands that a message names. esbuild sees a TypeScript module without its types
 * and unused imports, so its lines are near those of the source, and not always the same.
 */
function placeOfName(
  { text, place }: Report,
  lines: readonly string[],
): { line: number; column: number } | undefined {
  const specifier = SPECIFIER.exec(text)?.[1];
  const imported = IMPORTED_NAME.exec(text)?.[1];
  const name = specifier ?? imported;
  if (place === undefined || name === undefined) return undefined;
  if (name.length > NAME_CHARACTERS_MAX) return undefined;
  const escaped = name.replaceAll(/[^\w]/g, "\\$&");
  const pattern =
    specifier === undefined
      ? new RegExp(`(?<![\\w$])${escaped}(?![\\w$])`)
      : new RegExp(`(["'\`])(?:(?:npm|jsr):/?)?${escaped}\\1`);
  let nearest: { line: number; column: number } | undefined;
  const distance = (line: number) => Math.abs(line - place.line);
  for (const [at, lineText] of lines.entries()) {
    if (nearest !== undefined && distance(at + 1) >= distance(nearest.line)) continue;
    const column = lineText.search(pattern) + 1;
    if (column > 0) nearest = { line: at + 1, column };
  }
  return nearest;
}

/** Messages of deno's own graph count columns from 1, those of esbuild from 0. */
const GRAPH =
  /^(?:TS\d|Module not found|SyntaxError|npm package|JSR|Could not find|Failed|Requires import|Unsupported)/;

function columnOf(report: Report, step: "fetch" | "bundle", lineText: string): number {
  const { place, text } = report;
  if (place === undefined) return configPlace(report)?.column ?? 0;
  const isOneBased = step === "fetch" || GRAPH.test(text);
  return Math.min(isOneBased ? place.column : place.column + 1, lineText.length + 1);
}

/** How much to mark: a quoted specifier, or a word. */
function lengthAt(lineText: string, column: number): number {
  const rest = lineText.slice(Math.max(0, column - 1));
  return /^(?:"[^"]*"|'[^']*'|[\w$]+)/.exec(rest)?.[0].length ?? (rest === "" ? 0 : 1);
}

function sourcePath(url: string): string {
  const prefix = `file://${guestSource}/`;
  return url.startsWith(prefix) ? decoded(url.slice(prefix.length)) : "";
}

/** Without our own paths, and without the line end that deno's sentences carry. */
function readable(text: string): string {
  return text
    .replaceAll(`file://${guestSource}/`, "./")
    .replaceAll(`${guestSource}/`, "./")
    .replaceAll(`file://${guestCache}/`, "cache:")
    .replace(/^SyntaxError: /, "")
    .trim();
}
