/**
 * Requests that the app did not answer: which they were, and what its log says of them. The
 * platform's own documents are told from the app's by the request's id in them.
 */
import type { LogRecord } from "../../core/deployment.ts";
import { type IgniteError, type Problem, problemOf } from "../../core/errors.ts";

/** A request that ended in an error of the platform's. */
export interface DevFailure {
  method: string;
  path: string;
  problem: Problem;
  /** What the app wrote to its log about it. */
  log: LogRecord | undefined;
}

const RECORDS_MAX = 200; // As many requests as may wait for their lines
const LOG_WAIT_MS = 500; // A line comes by another way than its answer, mapped to the sources
const IN_LOG: ReadonlySet<string> = new Set(["GUEST_ERROR", "LOAD_FAILED"]);

/** The document of an answer's body, when the platform made it for this request. */
export function platformProblem(body: string, requestId: string): Problem | undefined {
  try {
    const problem = JSON.parse(body) as Partial<Problem> | null;
    const ours = problem?.instance === requestId;
    return ours && typeof problem?.reason === "string" ? (problem as Problem) : undefined;
  } catch {
    return undefined;
  }
}

/** The document for a request that reached no app. */
export function lostProblem(error: IgniteError, requestId: string): Problem {
  return problemOf(error, requestId, 503);
}

/** The errors of the app's log, for a moment. */
export class ErrorLog {
  readonly #ofRequests = new Map<string, LogRecord>();
  readonly #listeners = new Set<() => void>();
  /** Written outside of requests, as an error is that a module throws while it loads. */
  #ofNobody: LogRecord | undefined;

  /** A new version: what an older one wrote while it was loaded is no longer so. */
  forget(): void {
    this.#ofNobody = undefined;
  }

  /** Takes a line of the log. */
  add(record: LogRecord): void {
    if (record.level !== "error") return;
    const { executionId } = record;
    if (executionId === undefined) this.#ofNobody = record;
    else this.#ofRequests.set(executionId, record);
    const [oldest] = this.#ofRequests.keys();
    if (this.#ofRequests.size > RECORDS_MAX && oldest !== undefined)
      this.#ofRequests.delete(oldest);
    for (const listener of this.#listeners) listener();
  }

  /** What the log says of a failed request. A line without a stack may not be the last of it. */
  async find(problem: Problem): Promise<LogRecord | undefined> {
    if (!IN_LOG.has(problem.reason)) return undefined;
    const isKnown = () => this.#recordOf(problem)?.stack !== undefined;
    if (!isKnown()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const listener = () => isKnown() && resolve();
      const timer = setTimeout(resolve, LOG_WAIT_MS);
      this.#listeners.add(listener);
      await promise;
      this.#listeners.delete(listener);
      clearTimeout(timer);
    }
    return this.#recordOf(problem);
  }

  #recordOf({ reason, instance }: Problem): LogRecord | undefined {
    return reason === "LOAD_FAILED" ? this.#ofNobody : this.#ofRequests.get(`exe_${instance}`);
  }
}

/** A failure in words: what, and the app's own error where there is one. */
export function failureText({ method, path, problem, log }: DevFailure): string {
  const what = log?.message.split("\n")[0] ?? problem.detail;
  return `${method} ${path}: ${problem.status} ${problem.reason}: ${what}`;
}
