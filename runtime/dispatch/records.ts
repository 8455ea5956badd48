/**
 * What the supervisor wants to know of the cell's requests: which are running, which finished,
 * and a ledger line on stdout before the first call of an app in each ping round, so that the
 * suspects of a cell that loops or dies are known. Costs a set entry and an array entry a request.
 *
 * Time limits are kept here too. A timer per request costs a tenth of the whole gateway, so each
 * ping ends what is overdue; only while no pings come do invocations get timers of their own.
 */
import type { ExecutionRecord } from "../../core/deployment.ts";
import { IgniteError, type Reason } from "../../core/errors.ts";
import type { AppEntry } from "./documents.ts";
import type { Isolate } from "./isolates.ts";
import { timedOut } from "./problem.ts";

/** A request that is running. */
export interface Invocation {
  readonly requestId: string;
  readonly app: AppEntry;
  readonly isolate: Isolate;
  readonly version: number;
  readonly method: string;
  readonly path: string;
  readonly startedMs: number;
  readonly cold: boolean;
  /** Ends the wait for the answer, from any request's context. */
  expire: ((error: IgniteError) => void) | undefined;
  /** When it was told that its time is over; 0 before. */
  toldMs: number;
}

/** How an invocation ended, when it did not succeed. */
export interface Ending {
  outcome: ExecutionRecord["outcome"];
  reason: Reason | undefined;
}

const RECORDS_MAX = 50_000; // Some seconds of a full cell without a ping
const PATH_LENGTH_MAX = 1_024;
const HEARING_MS = 500; // One that has not ended this long after it was told is gone
const PING_GAP_MS_MAX = 500; // The supervisor pings five times as often

/** The running and the finished invocations of a cell. */
export class Records {
  readonly #token: string;
  readonly #inflight = new Set<Invocation>();
  #finished: ExecutionRecord[] = [];
  #dropped = 0;
  #round = 0;
  #total = 0;
  #drainedMs = 0;

  constructor(token: string) {
    this.#token = token;
  }

  /** Notes that an invocation begins, on stdout when it is the app's first of the round. */
  begin(invocation: Invocation): void {
    const { app, isolate, startedMs } = invocation;
    this.#inflight.add(invocation);
    isolate.running += 1;
    isolate.usedMs = startedMs;
    if (startedMs - this.#drainedMs > PING_GAP_MS_MAX) this.#startTimer(invocation);
    if (app.ledgerRound === this.#round) return;
    app.ledgerRound = this.#round;
    this.declare({ t: "enter", app: app.key, version: invocation.version, id: idOf(invocation) });
  }

  /** Notes that it ended. */
  end(invocation: Invocation, status: number, ending: Ending | undefined): void {
    if (!this.#inflight.delete(invocation)) return;
    invocation.isolate.running -= 1;
    this.#total += 1;
    if (this.#finished.length >= RECORDS_MAX) {
      this.#dropped += 1;
      return;
    }
    const { app, version, method, path, startedMs, cold } = invocation;
    this.#finished.push({
      id: idOf(invocation),
      app: app.key,
      version,
      method,
      path,
      status,
      outcome: ending?.outcome ?? "succeeded",
      reason: ending?.reason,
      startedMs,
      durationMs: Date.now() - startedMs,
      cold,
    });
  }

  /** Writes a line of ours on stdout, at once. */
  declare(line: Readonly<Record<string, unknown>>): void {
    writeCellLine(this.#token, line);
  }

  /** What runs now, and what finished since the last call. */
  drain(): { inflight: object[]; records: ExecutionRecord[]; dropped: number; total: number } {
    this.#drainedMs = Date.now();
    this.#endOverdue(this.#drainedMs);
    this.#round += 1;
    const records = this.#finished;
    const dropped = this.#dropped;
    this.#finished = [];
    this.#dropped = 0;
    const inflight = Array.from(this.#inflight, (invocation) => ({
      id: idOf(invocation),
      app: invocation.app.key,
      version: invocation.version,
      startedMs: invocation.startedMs,
    }));
    return { inflight, records, dropped, total: this.#total };
  }

  /** How many invocations run. */
  get running(): number {
    return this.#inflight.size;
  }

  /**
   * Tells overdue invocations. workerd drops a request's code when its caller leaves; those do not
   * hear it, and end a moment later.
   */
  #endOverdue(nowMs: number): void {
    for (const invocation of this.#inflight) {
      const { timeoutMs } = invocation.app.document.limits;
      if (nowMs - invocation.startedMs < timeoutMs) continue;
      invocation.toldMs ||= nowMs;
      if (nowMs - invocation.toldMs < HEARING_MS) invocation.expire?.(timedOut(timeoutMs));
      else this.end(invocation, 499, { outcome: "cancelled", reason: undefined });
    }
  }

  #startTimer(invocation: Invocation): void {
    const { timeoutMs } = invocation.app.document.limits;
    setTimeout(() => invocation.expire?.(timedOut(timeoutMs)), timeoutMs);
  }
}

/** Writes a line on the cell's stdout, at once. `token` tells the reader whose it is. */
export function writeCellLine(token: string, line: Readonly<Record<string, unknown>>): void {
  console.log(`${token} ${JSON.stringify(line)}`);
}

/**
 * The path of a URL of that host, without query, bounded. Fails with REQUEST_INVALID when the
 * request's target was not a path, as in `OPTIONS *`.
 */
export function pathOf(url: string, host: string): string {
  const start = url.indexOf(":") + "://".length + host.length;
  if (url[start] !== "/") throw targetInvalid();
  const query = url.indexOf("?", start);
  const path = query < 0 ? url.slice(start) : url.slice(start, query);
  return path.length > PATH_LENGTH_MAX ? path.slice(0, PATH_LENGTH_MAX) : path;
}

function targetInvalid(): IgniteError {
  return new IgniteError({
    code: "invalid_argument",
    reason: "REQUEST_INVALID",
    message: "The request's target is not a path.",
  });
}

/** The execution id of a synchronous call. */
function idOf(invocation: Invocation): string {
  return `exe_${invocation.requestId}`;
}
