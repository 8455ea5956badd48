/**
 * Asks control for documents that changed: all of them once at the start, then at intervals what
 * is new. Pushes are faster; this is the safety net for those that were missed.
 */
import type { SignedDocument } from "../../../core/deployment.ts";
import { IgniteError } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import type { ControlClient } from "./control-client.ts";

/** What the feed is made of. */
export interface FeedOptions {
  control: ControlClient;
  apply(documents: readonly SignedDocument[]): Promise<unknown>;
  pollMs: number;
  log: Log;
}

/** Polls until it is closed. */
export class DocumentFeed {
  readonly #options: FeedOptions;
  #sequence = 0;
  #reachable = true;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#schedule(0);
  }

  /** Whether control answered the last time. */
  get reachable(): boolean {
    return this.#reachable;
  }

  /** Stops asking. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Asks until there is nothing new. */
  async poll(): Promise<void> {
    for (;;) {
      const { sequence, items } = await this.#options.control.deployments(this.#sequence);
      if (items.length > 0) await this.#options.apply(items);
      const isDone = items.length === 0 || sequence <= this.#sequence;
      this.#sequence = Math.max(this.#sequence, sequence);
      if (isDone || this.#closed) return;
    }
  }

  #schedule(afterMs: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#tick(), afterMs);
    this.#timer.unref();
  }

  async #tick(): Promise<void> {
    const before = this.#reachable;
    try {
      await this.poll();
      this.#reachable = true;
    } catch (error) {
      this.#reachable = false;
      const { internal, message } = IgniteError.from(error);
      if (before)
        this.#options.log.warn("control was not asked for changes", {
          reason: internal ?? message,
        });
    }
    this.#schedule(this.#options.pollMs);
  }
}
