/** Lets so many units a second pass, with a store for bursts. */
import type { Clock } from "../../../core/clock.ts";

/** One allowance. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor(options: { clock: Clock; perSecond: number; burst: number }) {
    this.#clock = options.clock;
    this.#perSecond = options.perSecond;
    this.#burst = options.burst;
    this.#tokens = options.burst;
    this.#atMs = options.clock.nowMs();
  }

  /** Takes `amount` if there is that much; answers whether it did. */
  take(amount: number): boolean {
    const now = this.#clock.nowMs();
    const gained = (Math.max(0, now - this.#atMs) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#atMs = now;
    if (amount > this.#tokens) return false;
    this.#tokens -= amount;
    return true;
  }
}
