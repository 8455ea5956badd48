/**
 * Who may write. SQLite has one writer; its own lock waits by blocking the thread, and the holder
 * lives on the same thread, so waiting there would be waiting for ever. Writers queue here
 * instead, first come first served, and SQLite's lock is then always free within this process.
 */
import { HranaError } from "./protocol.ts";

const WAIT_MS_DEFAULT = 5_000; // The busy timeout of the platform

/** A fair lock on writing, held from the first write of a transaction to its end. */
export class WriteLane {
  readonly #waitMs: number;
  readonly #queue: (() => void)[] = [];
  #held = false;

  constructor(waitMs = WAIT_MS_DEFAULT) {
    this.#waitMs = waitMs;
  }

  /** Resolves with the lane held. Fails with SQLITE_BUSY when it stays taken for too long. */
  async acquire(): Promise<void> {
    if (!this.#held) {
      this.#held = true;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#queue.splice(this.#queue.indexOf(enter), 1);
        reject(new HranaError("SQLITE_BUSY", "SQLite error: database is locked"));
      }, this.#waitMs);
      this.#queue.push(enter);
    });
  }

  /** Lets the next writer in. */
  release(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#held = false;
    else next();
  }
}
