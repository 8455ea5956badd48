/** How errors are told: what happened, why, and what to do next. */
import { IgniteError } from "../core/errors.ts";
import type { Diagnostic } from "../proto/gen/ignite/v1/compile_pb.ts";
import { UsageError } from "./usage-error.ts";
import { formatDiagnostic, type SourceReader } from "./diagnostics.ts";
import type { Colors, Io } from "./io.ts";
import { printable } from "./printable.ts";

/** An error as all its printers see it. */
export interface Report {
  exitCode: 1 | 2;
  code: string;
  reason: string;
  message: string;
  hint: string | undefined;
  diagnostics: readonly Diagnostic[];
  stack: string | undefined;
  requestId: string | undefined;
}

/** The fields of IgniteApiError, known here without loading the SDK. */
interface ApiErrorShape {
  name: "IgniteApiError";
  code: string;
  reason: string;
  message: string;
  hint?: string;
  diagnostics: readonly Diagnostic[];
  stackOfApp?: string;
  requestId?: string;
}

/** Reads anything that was thrown. */
export function reportOf(caught: unknown): Report {
  const nothing = { hint: undefined, diagnostics: [], stack: undefined, requestId: undefined };
  if (caught instanceof UsageError) {
    const hint = caught.hint && `Run \`${caught.hint}\`.`;
    const { message } = caught;
    return { ...nothing, exitCode: 2, code: "invalid_argument", reason: "USAGE", message, hint };
  }
  if (isApiError(caught)) {
    const { code, reason, message, hint, diagnostics, stackOfApp, requestId } = caught;
    const next =
      reason === "CREDENTIAL_MISSING" ? HINTS[reason] : (hint ?? HINTS[reason] ?? HINTS[code]);
    return {
      exitCode: 1,
      code,
      reason,
      message,
      hint: next,
      diagnostics,
      stack: stackOfApp,
      requestId,
    };
  }
  if (caught instanceof IgniteError) {
    const { code, reason, message, hint = HINTS[caught.reason] } = caught;
    return { ...nothing, exitCode: 1, code, reason, message, hint };
  }
  const error = caught instanceof Error ? caught : new Error(String(caught));
  return {
    ...nothing,
    exitCode: 1,
    code: "internal",
    reason: "INTERNAL",
    message: error.message,
    hint: "This is a mistake in Ignite. Set IGNITE_DEBUG=1 to see where.",
  };
}

/** What to do next, by reason or code, where the platform did not say it. */
const HINTS: Readonly<Record<string, string>> = {
  CREDENTIAL_MISSING: "Give an API key with --key, IGNITE_KEY or `ignite context add`.",
  CREDENTIAL_INVALID: "The key may be revoked, expired or of another platform.",
  unauthenticated: "Give an API key with --key, IGNITE_KEY or `ignite context add`.",
  permission_denied: "Ask an owner of the organization for a key with a higher role.",
  UNIMPLEMENTED: "This release of the platform does not have it.",
  ETAG_MISMATCH: "Somebody else changed it at the same time. Look at it, then try again.",
};

/** Prints a report: text on stderr, and with `--json` the document on stdout. */
export async function printReport(io: Io, report: Report, sources: SourceReader): Promise<void> {
  const { exitCode: _, ...error } = report;
  if (io.json) {
    const diagnostics = error.diagnostics.map(({ $typeName: _type, ...one }) => one);
    io.item({ error: { ...error, diagnostics } }, () => "");
  }
  const colors = io.errorColors;
  for (const one of report.diagnostics) {
    io.progress(`${await formatDiagnostic(one, colors, sources)}\n`);
  }
  io.progress(textOf(report, colors));
}

function textOf(report: Report, colors: Colors): string {
  const lines = [`${colors.red(colors.bold("error:"))} ${printable(report.message)}`];
  if (report.stack) lines.push(...framesOf(report.stack, report.message));
  if (report.exitCode === 1) {
    const request = report.requestId ? ` (request ${report.requestId})` : "";
    lines.push(colors.dim(`  why: ${report.reason}${request}`));
  }
  if (report.hint) lines.push(`  ${colors.cyan("next:")} ${printable(report.hint)}`);
  return lines.join("\n");
}

/** The stack of the app's error, without the message that was already told. */
function framesOf(stack: string, message: string): string[] {
  const [first = "", ...frames] = stack.split("\n");
  const lines = first.endsWith(message) ? frames : [first, ...frames];
  return lines.map((line) => `    ${printable(line.trim())}`);
}

function isApiError(caught: unknown): caught is ApiErrorShape {
  return caught instanceof Error && caught.name === "IgniteApiError";
}
