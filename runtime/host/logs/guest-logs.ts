/**
 * Guests' log lines on their way: bounded per app, stacks mapped to sources, order kept, then
 * shown to who listens here and shipped to control. What an app writes above its allowance is
 * dropped and stands in its log as a gap with a count.
 */
import type { Clock } from "../../../core/clock.ts";
import type { ExecutionRecord, LogRecord } from "../../../core/deployment.ts";
import type { Digest } from "../../../core/ids.ts";
import { logBytesPerExecutionMax, logBytesPerSecondMax } from "../../../core/limits.ts";
import { failureLine } from "./failure-line.ts";
import type { SourceMaps } from "./source-maps.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Lines that are not there. */
export interface LogGap {
  app: string;
  /** How many lines were dropped. */
  dropped: number;
  reason: string;
  timeMs: number;
}

/** What goes to control, in order. */
export type LogEntry = LogRecord | LogGap;

/** What the lines are handed to. */
export interface GuestLogsOptions {
  clock: Clock;
  maps: SourceMaps;
  onEntries(entries: readonly LogEntry[]): void;
}

interface Allowance {
  bucket: TokenBucket;
  dropped: number;
}

const REASON = "The app wrote more than its allowance.";

/** The lines of all cells. */
export class GuestLogs {
  readonly #options: GuestLogsOptions;
  readonly #allowances = new Map<string, Allowance>();
  #pending: (LogEntry | Promise<LogEntry>)[] = [];
  #flushing: Promise<void> | undefined;
  #dropped = 0;

  constructor(options: GuestLogsOptions) {
    this.#options = options;
  }

  /** Lines that were dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds what the platform has to say of executions to their apps' logs. */
  addFailures(records: readonly ExecutionRecord[]): void {
    for (const record of records) {
      const line = failureLine(record);
      if (line !== undefined) this.add(line, undefined, line.message.length);
    }
  }

  /** Takes one line of `bytes` bytes; `artifact` is where its stack, if any, leads. */
  add(record: LogRecord, artifact: Digest | undefined, bytes: number): void {
    const allowance = this.#allowanceOf(record.app);
    if (!allowance.bucket.take(bytes)) {
      allowance.dropped += 1;
      this.#dropped += 1;
      return;
    }
    this.#endGap(record.app, allowance);
    this.#queue(artifact === undefined ? record : this.#options.maps.applyTo(record, artifact));
  }

  /** Hands over all that was taken, gaps included. */
  async flush(): Promise<void> {
    for (const [app, allowance] of this.#allowances) this.#endGap(app, allowance);
    await this.#flushing;
  }

  #endGap(app: string, allowance: Allowance): void {
    const { dropped } = allowance;
    if (dropped === 0) return;
    allowance.dropped = 0;
    this.#queue({ app, dropped, reason: REASON, timeMs: this.#options.clock.nowMs() });
  }

  #queue(entry: LogEntry | Promise<LogEntry>): void {
    this.#pending.push(entry);
    this.#flushing ??= this.#deliver().finally(() => {
      this.#flushing = undefined;
    });
  }

  async #deliver(): Promise<void> {
    while (this.#pending.length > 0) {
      const entries = this.#pending;
      this.#pending = [];
      this.#options.onEntries(await Promise.all(entries));
    }
  }

  #allowanceOf(app: string): Allowance {
    const known = this.#allowances.get(app);
    if (known !== undefined) return known;
    const bucket = new TokenBucket({
      clock: this.#options.clock,
      perSecond: logBytesPerSecondMax,
      burst: logBytesPerExecutionMax,
    });
    const allowance = { bucket, dropped: 0 };
    this.#allowances.set(app, allowance);
    return allowance;
  }
}
