/**
 * Watches one cell: pings it, takes its records, and passes verdicts. A cell whose main thread
 * used no CPU since its last answer cannot be looping, so an idle one is asked less often.
 */
import type { ExecutionRecord } from "../../../core/deployment.ts";
import { waitUntilMsMax } from "../../../core/limits.ts";
import type { Cell } from "../cells/cell.ts";
import type { InflightRequest, Pong } from "../cells/cell-admin.ts";
import { innermostPid, mainThreadCpuMs, residentMb } from "./process-usage.ts";
import { type Entry, type Suspects, suspectsOf } from "./suspects.ts";
import { judge, type Verdict } from "./verdict.ts";

/** What the monitor tells. */
export interface MonitorEvents {
  onRecords(records: readonly ExecutionRecord[], dropped: number): void;
  /** Requests ran since the last ping. */
  onActive(): void;
  /** What the suspects may burn in one go. */
  budgetMs(suspects: Suspects): number;
  /** Called once per silence and verdict. */
  onVerdict(verdict: Verdict, suspects: Suspects): void;
  /** The cell answered after it had been called heavy. */
  onRecovered(): void;
}

interface Question {
  sentMs: number;
  cpuMs: number;
}

const TICK_MS = 100;
const IDLE_PING_MS = 1_000;
const LINGER_MS = waitUntilMsMax;
const ABORT_GRACE_MS = 200;
const PING_TIMEOUT_MS = 10 * 60 * 1000; // The verdict decides, not the clock

/** Follows a cell from its start to its end. */
export class Monitor {
  readonly cell: Cell;
  readonly #events: MonitorEvents;
  readonly #startedMs = performance.now();
  #pid: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #question: Question | undefined;
  #lastVerdict: Verdict = "well";
  #answeredMs = 0;
  #answeredCpuMs = -1;
  #inflight: readonly InflightRequest[] = [];
  #entered: (Entry & { atMs: number })[] = [];
  /** When each app's requests were last seen here. */
  readonly #seenMs = new Map<string, number>();
  #residentMb = 0;
  #isolates = 0;
  #looped = false;

  constructor(cell: Cell, events: MonitorEvents) {
    this.cell = cell;
    this.#events = events;
    this.#timer = setInterval(() => void this.#tick(), TICK_MS);
    this.#timer.unref();
    void cell.process.exited.then(() => this.stop());
  }

  /** Whether the watchdog ended the cell. */
  get looped(): boolean {
    return this.#looped;
  }

  /** Resident size when it was last looked at, MiB. */
  get residentMb(): number {
    return this.#residentMb;
  }

  /** Loaded isolates, and requests in flight, at the last ping. */
  get load(): { isolates: number; inflight: number } {
    return { isolates: this.#isolates, inflight: this.#inflight.length };
  }

  /** Age of the cell. */
  get ageMs(): number {
    return performance.now() - this.#startedMs;
  }

  /** The ledger: an app was called for the first time since the last ping. */
  enter(entry: Entry): void {
    const atMs = performance.now();
    this.#entered.push({ ...entry, atMs });
    this.#seenMs.set(entry.app, atMs);
  }

  /** Who may be running now. */
  suspects(): Suspects {
    const suspects = suspectsOf(this.#inflight, this.#entered, this.#seenSince(LINGER_MS));
    if (suspects.apps.length + suspects.lingering.length > 0) return suspects;
    return suspectsOf([], [], this.#seenSince(Infinity));
  }

  #seenSince(ageMs: number): string[] {
    const sinceMs = performance.now() - ageMs;
    return Array.from(this.#seenMs)
      .filter(([, atMs]) => atMs >= sinceMs)
      .toSorted(([, a], [, b]) => a - b)
      .map(([app]) => app);
  }

  /** Execution ids of an app that are known to be running, with their versions. */
  running(app: string): { id: string; version: number }[] {
    return [...this.#inflight, ...this.#entered].filter((request) => request.app === app);
  }

  /** The version that an app was last seen to run here. */
  versionOf(executionId: string, app: string): number | undefined {
    const seen = [...this.#inflight, ...this.#entered];
    const exact = seen.find(({ id }) => id === executionId);
    return (exact ?? seen.findLast((request) => request.app === app))?.version;
  }

  /** Ends a cell that loops: an abort leaves a stack in its log, a kill needs no cooperation. */
  async end(): Promise<void> {
    this.#looped = true;
    const pid = this.#pid ?? this.cell.process.pid;
    signal(pid, "SIGABRT");
    const timer = setTimeout(() => {
      signal(pid, "SIGKILL");
      this.cell.process.kill("SIGKILL");
    }, ABORT_GRACE_MS);
    await this.cell.process.exited;
    clearTimeout(timer);
  }

  /** Asks once more, for the last records of a cell that ends. */
  async flush(timeoutMs: number): Promise<void> {
    this.stop();
    this.#take(await this.cell.admin.ping(timeoutMs), performance.now());
  }

  /** Watches no longer. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #tick(): Promise<void> {
    this.#pid ??= await innermostPid(this.cell.process.pid);
    const [cpuMs, resident] = await Promise.all([
      mainThreadCpuMs(this.#pid),
      residentMb(this.#pid),
    ]);
    if (this.#timer === undefined || cpuMs === undefined) return;
    this.#residentMb = resident ?? this.#residentMb;
    if (this.#question !== undefined) return this.#weigh(this.#question, cpuMs);
    const isIdle = cpuMs - this.#answeredCpuMs < 1;
    if (isIdle && performance.now() - this.#answeredMs < IDLE_PING_MS) return;
    void this.#ask({ sentMs: performance.now(), cpuMs });
  }

  async #ask(question: Question): Promise<void> {
    this.#question = question;
    this.#lastVerdict = "well";
    try {
      const pong = await this.cell.admin.ping(PING_TIMEOUT_MS);
      this.#take(pong, question.sentMs);
      if (this.#wasHeavy()) this.#events.onRecovered();
    } catch {
      // It ended, or is ending: its exit is handled where it was started
    } finally {
      this.#question = undefined;
    }
  }

  /** Whether the silence that just ended had been called heavy. */
  #wasHeavy(): boolean {
    return this.#lastVerdict === "heavy";
  }

  #take(pong: Pong, askedMs: number): void {
    this.#answeredMs = performance.now();
    this.#inflight = pong.inflight;
    this.#entered = this.#entered.filter(({ atMs }) => atMs >= askedMs);
    this.#isolates = pong.isolates;
    for (const { app } of [...pong.inflight, ...pong.records]) {
      this.#seenMs.set(app, this.#answeredMs);
    }
    void this.#noteCpu();
    if (pong.inflight.length + pong.records.length > 0) this.#events.onActive();
    this.#events.onRecords(pong.records, pong.dropped);
  }

  async #noteCpu(): Promise<void> {
    if (this.#pid === undefined) return;
    this.#answeredCpuMs = (await mainThreadCpuMs(this.#pid)) ?? this.#answeredCpuMs;
  }

  #weigh(question: Question, cpuMs: number): void {
    const suspects = this.suspects();
    const budgetMs = this.#events.budgetMs(suspects);
    const burnedMs = cpuMs - question.cpuMs;
    const leftMs = budgetMs - burnedMs;
    if (leftMs > 0 && leftMs < TICK_MS) setTimeout(() => void this.#tick(), leftMs).unref();
    const verdict = judge({ waitedMs: performance.now() - question.sentMs, burnedMs, budgetMs });
    if (verdict === this.#lastVerdict) return;
    this.#lastVerdict = verdict;
    this.#events.onVerdict(verdict, suspects);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended already
  }
}
