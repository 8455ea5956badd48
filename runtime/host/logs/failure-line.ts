/** What an app's log says of a request that the platform ended, since the app itself could not. */
import type { ExecutionRecord, LogRecord } from "../../../core/deployment.ts";
import type { Reason } from "../../../core/errors.ts";

const TEXTS: Partial<Record<Reason, string>> = {
  CPU_EXCEEDED: "The app used up its CPU time and was stopped.",
  MEMORY_EXCEEDED: "The app used up its memory and was stopped.",
  CELL_LOST: "The process that ran the request ended.",
  GUEST_TIMED_OUT: "The app did not answer in time.",
  OUTPUT_REJECTED: "The answer breaks the app's output schema.",
};

/** The line for an execution, or undefined when its app said itself what went wrong. */
export function failureLine(record: ExecutionRecord): LogRecord | undefined {
  const { app, version, id, method, path, startedMs, durationMs, reason } = record;
  const text = TEXTS[reason as Reason];
  if (text === undefined) return undefined;
  return {
    app,
    version,
    executionId: id,
    timeMs: startedMs + durationMs,
    level: "error",
    message: `[ignite] ${method} ${path}: ${text}`,
    stack: undefined,
  };
}
