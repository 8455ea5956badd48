/** Compile diagnostics as good compilers print them: place, message, line, caret, notes. */
import { type Diagnostic, Severity } from "../proto/gen/ignite/v1/compile_pb.ts";
import type { Colors } from "./io.ts";
import { printable } from "./printable.ts";

/** Reads a file of the source tree; undefined when it cannot. */
export type SourceReader = (file: string) => Promise<string | undefined>;

const LINE_CHARACTERS_MAX = 160; // A longer line is cut around its mark
const TAB_SPACES = "  ";

/** A diagnostic as text without a line end. The line comes from it, else from the source. */
export async function formatDiagnostic(
  diagnostic: Diagnostic,
  colors: Colors,
  sources: SourceReader,
): Promise<string> {
  const { line, column, code } = diagnostic;
  const [file, message] = [printable(diagnostic.file), printable(diagnostic.message)];
  const place = file && [file, line || "", (line && column) || ""].filter(Boolean).join(":");
  const lines = [
    `${place && `${colors.bold(place)}: `}${label(diagnostic, colors)} ${colors.bold(message)}` +
      (code && ` ${colors.dim(`[${code}]`)}`),
  ];
  const text = diagnostic.lineText || (await lineOf(diagnostic, sources));
  if (text !== undefined && line > 0) lines.push(...excerpt(diagnostic, text, colors));
  lines.push(...diagnostic.notes.map((note) => `  ${colors.cyan("=")} ${printable(note)}`));
  return lines.join("\n");
}

function label({ severity }: Diagnostic, colors: Colors): string {
  if (severity === Severity.WARNING) return colors.yellow("warning:");
  if (severity === Severity.INFO) return colors.cyan("info:");
  return colors.red("error:");
}

async function lineOf(diagnostic: Diagnostic, sources: SourceReader): Promise<string | undefined> {
  if (diagnostic.line === 0 || diagnostic.file === "") return undefined;
  const text = await sources(diagnostic.file);
  return text?.split("\n")[diagnostic.line - 1]?.replace(/\r$/, "");
}

function excerpt({ line, column, length, severity }: Diagnostic, text: string, colors: Colors) {
  const gutter = String(line);
  const blank = " ".repeat(gutter.length);
  const bar = colors.dim("|");
  const start = Math.max(0, column - 1 - LINE_CHARACTERS_MAX / 2);
  const shown = text.slice(start, start + LINE_CHARACTERS_MAX);
  const lines = [
    `${colors.dim(`  ${gutter}`)} ${bar} ${printable(shown).replaceAll("\t", TAB_SPACES)}`,
  ];
  if (column === 0) return lines;
  const before = printable(shown.slice(0, column - 1 - start)).replaceAll("\t", TAB_SPACES);
  const marks = "^".repeat(Math.max(1, Math.min(length, shown.length - (column - 1 - start))));
  const paint = severity === Severity.WARNING ? colors.yellow : colors.red;
  return [...lines, `  ${blank} ${bar} ${" ".repeat(before.length)}${paint(marks)}`];
}
