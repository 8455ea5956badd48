/** What the gateway says when an isolate does not answer: a typed error, never a stack. */
import { IgniteError } from "../../core/errors.ts";
import type { Isolate } from "./isolates.ts";
import { writeCellLine } from "./records.ts";

const MARK = /^ignite:(load|guest):/;
const NOT_STARTED = /^Failed to start Worker:\s*/;

/** Reads an error thrown by an isolate's fetch. */
export function guestFailure(thrown: unknown, isolate: Isolate): IgniteError {
  if (thrown instanceof IgniteError) return thrown;
  if (isolate.failure !== undefined) return isolate.failure;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const kind = MARK.exec(text)?.[1];
  if (kind === "guest") return guestError(text.slice("ignite:guest:".length));
  if (kind === "load") return loadFailed(text.slice("ignite:load:".length));
  if (!NOT_STARTED.test(text)) return guestError(text);
  return notStarted(text.replace(NOT_STARTED, ""), isolate);
}

/** Code that the engine itself refuses never reaches the isolate's log, so it is written here. */
function notStarted(complaint: string, { logToken }: Isolate): IgniteError {
  const line = { t: "log", l: "error", m: complaint, at: Date.now() };
  writeCellLine(logToken, line);
  return loadFailed(complaint);
}

/** The app's modules could not be loaded. */
export function loadFailed(internal: string): IgniteError {
  return new IgniteError({
    code: "internal",
    reason: "LOAD_FAILED",
    message: "The app could not be started.",
    hint: "Its log has the error.",
    internal,
  });
}

function guestError(internal: string): IgniteError {
  return new IgniteError({
    code: "internal",
    reason: "GUEST_ERROR",
    message: "The app failed while it answered.",
    hint: "Its log has the error.",
    internal,
  });
}
