/**
 * Lets a few jobs run at once and takes turns between owners, so that one organization's hundred
 * jobs do not hold up another's one.
 */
import { IgniteError } from "./errors.ts";

interface Waiting {
  start(): void;
}

/** Bounds of a {@link FairQueue}. */
export interface FairQueueOptions {
  /** Jobs at once. */
  runningMax: number;
  /** Jobs of one owner at once. */
  ownerMax: number;
  /** Jobs of one owner that wait. */
  waitingMax: number;
  /** What the jobs are, for messages: `compiles`. */
  what: string;
}

/** The queue. */
export class FairQueue {
  readonly #options: FairQueueOptions;
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #owned = new Map<string, number>();
  #running = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  /**
   * Runs `job` when it is the owner's turn. Fails with OVERLOADED when the owner has too many jobs
   * waiting, and with the signal's reason when it is aborted before its turn.
   */
  async run<Out>(owner: string, signal: AbortSignal, job: () => Promise<Out>): Promise<Out> {
    await this.#turn(owner, signal);
    try {
      return await job();
    } finally {
      this.#count(owner, -1);
      this.#next();
    }
  }

  /** How many jobs wait for their turn. */
  waiting(): number {
    return [...this.#waiting.values()].reduce((sum, jobs) => sum + jobs.length, 0);
  }

  #turn(owner: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#mayRun(owner)) {
      this.#count(owner, 1);
      return Promise.resolve();
    }
    const jobs = this.#waiting.get(owner) ?? [];
    const { waitingMax, what } = this.#options;
    if (jobs.length >= waitingMax) return Promise.reject(overloaded(what));
    this.#waiting.set(owner, jobs);
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#remove(owner, waiting);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        start: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      jobs.push(waiting);
    });
  }

  /** The owner that waited longest goes first, and to the end of the line after that. */
  #next(): void {
    for (const [owner, [first, ...others]] of this.#waiting) {
      if (!this.#mayRun(owner)) continue;
      this.#waiting.delete(owner);
      if (others.length > 0) this.#waiting.set(owner, others);
      this.#count(owner, 1);
      first?.start();
      return;
    }
  }

  #mayRun(owner: string): boolean {
    const { runningMax, ownerMax } = this.#options;
    return this.#running < runningMax && (this.#owned.get(owner) ?? 0) < ownerMax;
  }

  #count(owner: string, change: 1 | -1): void {
    this.#running += change;
    const owned = (this.#owned.get(owner) ?? 0) + change;
    if (owned === 0) this.#owned.delete(owner);
    else this.#owned.set(owner, owned);
  }

  #remove(owner: string, waiting: Waiting): void {
    const left = (this.#waiting.get(owner) ?? []).filter((each) => each !== waiting);
    if (left.length === 0) this.#waiting.delete(owner);
    else this.#waiting.set(owner, left);
  }
}

function overloaded(what: string): IgniteError {
  return new IgniteError({
    code: "resource_exhausted",
    reason: "OVERLOADED",
    message: `Too many ${what} of this organization are waiting.`,
    hint: "Try again when some of them are done.",
  });
}
