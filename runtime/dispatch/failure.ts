/** What the gateway says when an isolate does not answer: a typed error, never a stack. */
import { IgniteError } from "../../core/errors.ts";
import type { Isolate } from "./isolates.ts";
import { writeCellLine } from "./records.ts";

const MARK = /^ignite:(load|guest):/;
const NOT_STARTED = /^Failed to start Worker:\s*/;

const NEVER_SETTLES = /code had hung and would never generate a response/;

/**
 * Reads an error thrown by an isolate's fetch. What the guest did not write to the app's log
 * itself is written there, as of this execution when one is named.
 */
export function guestFailure(thrown: unknown, isolate: Isolate, executionId?: string): IgniteError {
  if (thrown instanceof IgniteError) return thrown;
  if (isolate.failure !== undefined) return isolate.failure;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const kind = MARK.exec(text)?.[1];
  if (kind === "guest") return guestError(text.slice("ignite:guest:".length));
  if (kind === "load") return loadFailed(text.slice("ignite:load:".length));
  if (NOT_STARTED.test(text)) {
    const complaint = text.replace(NOT_STARTED, "");
    writeToLog(isolate, complaint, undefined);
    return loadFailed(complaint);
  }
  const complaint = NEVER_SETTLES.test(text)
    ? "The handler never answers: what it waits for cannot happen any more."
    : text;
  writeToLog(isolate, complaint, executionId);
  return guestError(complaint);
}

function writeToLog({ logToken }: Isolate, message: string, executionId: string | undefined) {
  writeCellLine(logToken, { t: "log", x: executionId, l: "error", m: message, at: Date.now() });
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
