/**
 * Token buckets by name, in the memory of this isolate. The names come from callers, so only the
 * ones that were used last are kept; one that was forgotten starts anew with a full bucket.
 */

/** How much a bucket holds, and how fast it fills. */
export interface Rate {
  burst: number;
  perSecond: number;
}

interface Bucket {
  tokens: number;
  filledMs: number;
}

/** One bucket for each name, at most `namesMax` of them. */
export class RateLimit {
  readonly #rate: Rate;
  readonly #namesMax: number;
  readonly #buckets = new Map<string, Bucket>(); // In the order of their use

  constructor(rate: Rate, namesMax: number) {
    this.#rate = rate;
    this.#namesMax = namesMax;
  }

  /** Takes tokens if there are so many. Answers 0, or in how many milliseconds there will be. */
  take(name: string, nowMs: number, count = 1): number {
    const tokens = this.#tokens(name, nowMs);
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: tokens < count ? tokens : tokens - count, filledMs: nowMs });
    if (this.#buckets.size > this.#namesMax) {
      const [oldest = ""] = this.#buckets.keys();
      this.#buckets.delete(oldest);
    }
    return this.#waitMs(tokens, count);
  }

  /** What {@link take} would answer, without taking. */
  peek(name: string, nowMs: number): number {
    return this.#waitMs(this.#tokens(name, nowMs), 1);
  }

  #tokens(name: string, nowMs: number): number {
    const { burst, perSecond } = this.#rate;
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) return burst;
    const elapsedMs = Math.max(0, nowMs - bucket.filledMs); // The clock may be set back
    return Math.min(burst, bucket.tokens + (elapsedMs * perSecond) / 1_000);
  }

  #waitMs(tokens: number, count: number): number {
    return tokens >= count ? 0 : Math.ceil(((count - tokens) * 1_000) / this.#rate.perSecond);
  }
}
