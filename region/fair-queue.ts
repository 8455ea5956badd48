/**
 * Lets a few jobs run at once and takes turns between owners, so that one organization's hundred
 * compiles do not hold up another's one.
 */
import { IgniteError } from "../core/errors.ts";

interface Waiting {
  start(): void;
}

/** The queue. */
export class FairQueue {
  readonly #runningMax: number;
  readonly #waitingMax: number;
  readonly #waiting = new Map<string, Waiting[]>();
  #running = 0;

  constructor(options: { runningMax: number; waitingMax: number }) {
    this.#runningMax = options.runningMax;
    this.#waitingMax = options.waitingMax;
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
      this.#running -= 1;
      this.#next();
    }
  }

  /** How many jobs wait for their turn. */
  waiting(): number {
    return [...this.#waiting.values()].reduce((sum, jobs) => sum + jobs.length, 0);
  }

  #turn(owner: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#runningMax) {
      this.#running += 1;
      return Promise.resolve();
    }
    const jobs = this.#waiting.get(owner) ?? [];
    if (jobs.length >= this.#waitingMax) return Promise.reject(overloaded());
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
    const [owner, jobs] = this.#waiting.entries().next().value ?? [];
    if (owner === undefined || jobs === undefined) return;
    const first = jobs.shift();
    this.#waiting.delete(owner);
    if (jobs.length > 0) this.#waiting.set(owner, jobs);
    this.#running += 1;
    first?.start();
  }

  #remove(owner: string, waiting: Waiting): void {
    const left = (this.#waiting.get(owner) ?? []).filter((each) => each !== waiting);
    if (left.length === 0) this.#waiting.delete(owner);
    else this.#waiting.set(owner, left);
  }
}

function overloaded(): IgniteError {
  return new IgniteError({
    code: "resource_exhausted",
    reason: "OVERLOADED",
    message: "Too many compiles of this organization are waiting.",
    hint: "Try again when some of them are done.",
  });
}
