/**
 * What the compiler says about a source: coded, with a place, and with how to fix it where that is
 * known. Errors fail the compile, warnings never do.
 */

/** Every message the compiler has. Stable names: scripts may match on them. */
export type DiagnosticId =
  | "MANIFEST_SYNTAX" // ignite.toml is not TOML
  | "MANIFEST_FIELD" // A key of ignite.toml that is unknown, missing or has a wrong value
  | "MAIN_MISSING" // There is no start module
  | "MAIN_WITHOUT_HANDLER" // The start module neither exports a handler nor calls Deno.serve
  | "SYNTAX" // A module does not parse
  | "UNRESOLVED_IMPORT" // An import leads nowhere
  | "OUTSIDE_IMPORT" // An import leaves the source tree
  | "PACKAGE_FETCH" // A package cannot be had
  | "MISSING_EXPORT" // An imported name is not exported
  | "LOCK_OUTDATED" // The lock file disagrees with the imports
  | "TYPE" // A type error; the message starts with its TS number
  | "CONFIG_INVALID" // deno.json or package.json is not valid
  | "ASSETS_TOO_MANY" // More static files than allowed
  | "ASSETS_EMPTY" // A glob of [build] assets matches nothing
  | "UNSUPPORTED_API" // Something that the edge does not have
  | "RUNTIME_UNSUPPORTED" // A language that this release does not compile
  | "TOOL_LIMIT" // The compiler used up its time, memory or output
  | "TOOL_MESSAGE"; // Something the tool said that has no id of its own

/** A message with its place. `line` and `column` count from 1; 0 is unknown. */
export interface Diagnostic {
  id: DiagnosticId;
  severity: "error" | "warning";
  message: string;
  /** Path in the source tree, or "". */
  file: string;
  line: number;
  column: number;
  length: number;
  lineText: string;
  notes: readonly string[];
  /** What to do, one sentence. */
  fix: string | undefined;
}

const MESSAGE_MAX = 4_000;
const NOTE_MAX = 1_000;
const LINE_TEXT_MAX = 1_000; // A minified line helps nobody
const NAME_LENGTH_MAX = 256; // Nothing known is near a longer one; long paths are

/** A diagnostic; everything but id and message may be left out. */
export function diagnostic(
  id: DiagnosticId,
  message: string,
  place: Partial<Omit<Diagnostic, "id" | "message">> = {},
): Diagnostic {
  return {
    id,
    severity: place.severity ?? "error",
    message: message.slice(0, MESSAGE_MAX),
    file: place.file ?? "",
    line: place.line ?? 0,
    column: place.column ?? 0,
    length: place.length ?? 0,
    lineText: (place.lineText ?? "").slice(0, LINE_TEXT_MAX),
    notes: (place.notes ?? []).map((note) => note.slice(0, NOTE_MAX)),
    fix: place.fix,
  };
}

/** The line and column (from 1) of an offset in a text, and the line itself. */
export function placeOf(text: string, offset: number) {
  const start = offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
  const end = text.indexOf("\n", offset);
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1))
    line += 1;
  return {
    line,
    column: offset - start + 1,
    lineText: text.slice(start, end < 0 ? undefined : end).replace(/\r$/, ""),
  };
}

/** A diagnostic as people read it, several lines without colour. */
export function formatDiagnostic(one: Diagnostic): string {
  const where =
    one.file === "" ? "" : `${one.file}${one.line > 0 ? `:${one.line}:${one.column}` : ""}: `;
  const lines = [`${where}${one.severity}: ${one.message} [${one.id}]`];
  if (one.lineText !== "") {
    const number = String(one.line);
    const mark = "^".padEnd(Math.max(1, one.length), "~");
    lines.push(` ${number} | ${one.lineText.replaceAll("\t", " ")}`);
    if (one.column > 0)
      lines.push(`${" ".repeat(number.length + 2)}| ${" ".repeat(one.column - 1)}${mark}`);
  }
  lines.push(...one.notes.map((note) => `   note: ${note}`));
  if (one.fix !== undefined) lines.push(`   fix: ${one.fix}`);
  return lines.join("\n");
}

/** The name in `known` that a misspelt one most likely means, if one is near enough. */
export function suggestionFor(name: string, known: readonly string[]): string | undefined {
  if (name.length > NAME_LENGTH_MAX) return undefined;
  const longer = name.length > 2 ? known.filter((candidate) => candidate.startsWith(name)) : [];
  if (longer.length === 1) return longer[0];
  const distanceMax = Math.max(1, Math.floor(name.length / 3));
  const near = known.filter(({ length }) => Math.abs(length - name.length) <= distanceMax);
  const scored = near.map((candidate) => ({ candidate, distance: editDistance(name, candidate) }));
  const best = scored.toSorted((a, b) => a.distance - b.distance)[0];
  return best !== undefined && best.distance <= distanceMax ? best.candidate : undefined;
}

function editDistance(a: string, b: string): number {
  if (a !== b && [...a].toSorted().join("") === [...b].toSorted().join("")) return 1; // Swapped
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substituted));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
