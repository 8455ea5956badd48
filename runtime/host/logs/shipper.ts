/**
 * Brings records to control in batches. While control is down they wait in a bounded buffer; what
 * does not fit is dropped, the newest first, and counted. A batch keeps its number until control
 * has it, so one that is sent twice is stored once.
 */
import { IgniteError } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";

/** What a shipper is made of. */
export interface ShipperOptions<Item> {
  name: string;
  /** Sends one batch. Fails with code `unavailable` when it should be sent again. */
  send(batch: number, items: readonly Item[]): Promise<void>;
  log: Log;
  /** How long the first item of a batch waits for others. */
  gatherMs?: number;
  itemsMax?: number;
}

const GATHER_MS = 100;
const ITEMS_MAX = 100_000;
const BATCH_ITEMS_MAX = 1_000;
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5_000;

/** A queue with one batch on its way. */
export class Shipper<Item> {
  readonly #options: ShipperOptions<Item>;
  #waiting: Item[] = [];
  #batch = 0;
  #dropped = 0;
  #sent = 0;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: ShipperOptions<Item>) {
    this.#options = options;
  }

  /** Items that were lost, that arrived, and that wait. */
  get counts(): { dropped: number; sent: number; waiting: number } {
    return { dropped: this.#dropped, sent: this.#sent, waiting: this.#waiting.length };
  }

  /** Queues items, in order. */
  push(items: readonly Item[]): void {
    const room = (this.#options.itemsMax ?? ITEMS_MAX) - this.#waiting.length;
    for (const item of items.slice(0, room)) this.#waiting.push(item);
    this.#dropped += Math.max(0, items.length - room);
    if (this.#waiting.length > 0) {
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined;
      });
    }
  }

  /** Sends what waits, trying for at most `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    this.#closed = true;
    const late = new Promise<void>((done) => setTimeout(done, timeoutMs).unref());
    await Promise.race([this.#running, late]);
  }

  async #run(): Promise<void> {
    await pause(this.#closed ? 0 : (this.#options.gatherMs ?? GATHER_MS));
    while (this.#waiting.length > 0) {
      const items = this.#waiting.slice(0, BATCH_ITEMS_MAX);
      if (!(await this.#deliver(items))) return;
      this.#waiting.splice(0, items.length);
    }
  }

  /** Sends items until they have arrived or were refused; false when it was given up. */
  async #deliver(items: readonly Item[]): Promise<boolean> {
    const { name, log, send } = this.#options;
    for (let retryMs = RETRY_MS_MIN; ; retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)) {
      try {
        await send(this.#batch, items);
        this.#batch += 1;
        this.#sent += items.length;
        return true;
      } catch (caught) {
        const error = IgniteError.from(caught);
        const reason = error.internal ?? error.message;
        if (error.code !== "unavailable") return this.#deliverParts(items, reason);
        if (this.#closed) return false;
        log.debug("a batch did not arrive", { shipper: name, reason });
        await pause(retryMs);
      }
    }
  }

  /** One item that control refuses costs itself, and none of those beside and behind it. */
  async #deliverParts(items: readonly Item[], reason: string): Promise<boolean> {
    if (items.length === 1) {
      this.#dropped += 1;
      this.#options.log.error("an item was refused", { shipper: this.#options.name, reason });
      return true;
    }
    const half = Math.ceil(items.length / 2);
    return (await this.#deliver(items.slice(0, half))) && this.#deliver(items.slice(half));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
