/**
 * How often callers may call. A valid key counts for its organization, a wrong one for the address
 * it came from. Where too many wrong ones came from, only keys that were right a while ago are
 * still looked up: guesses cost no query then, and neighbours who share the address go on.
 */
import { IgniteError } from "../../core/errors.ts";
import {
  callBurstMax,
  callsPerSecond,
  orgLogBurstBytes,
  orgLogBytesPerSecond,
  ratedNamesMax,
  wrongKeyBurstMax,
  wrongKeysPerSecond,
} from "../../core/limits.ts";
import { RateLimit } from "../rate-limit.ts";

/** The buckets of one isolate. Every method that refuses fails with RATE_LIMITED. */
export class Admission {
  readonly #calls = new RateLimit(
    { burst: callBurstMax, perSecond: callsPerSecond },
    ratedNamesMax,
  );
  readonly #wrongKeys = new RateLimit(
    { burst: wrongKeyBurstMax, perSecond: wrongKeysPerSecond },
    ratedNamesMax,
  );
  readonly #logBytes = new RateLimit(
    { burst: orgLogBurstBytes, perSecond: orgLogBytesPerSecond },
    ratedNamesMax,
  );
  readonly #rightKeys = new Set<string>(); // Digests, in the order of their use

  /** Before a key is looked up. */
  beforeLookup(address: string, keySha256: string, nowMs: number): void {
    if (this.#rightKeys.has(keySha256)) return;
    refuse(this.#wrongKeys.peek(address, nowMs), "Too many wrong API keys came from this address.");
  }

  /** Counts a key that was not valid. */
  noteWrong(address: string, keySha256: string, nowMs: number): void {
    this.#rightKeys.delete(keySha256);
    this.#wrongKeys.take(address, nowMs);
  }

  /** Counts a call with a valid key. */
  noteRight(org: string, keySha256: string, nowMs: number): void {
    this.#rightKeys.delete(keySha256);
    this.#rightKeys.add(keySha256);
    if (this.#rightKeys.size > ratedNamesMax) {
      const [oldest = ""] = this.#rightKeys;
      this.#rightKeys.delete(oldest);
    }
    refuse(this.#calls.take(org, nowMs), `Organization "${org}" calls too often.`);
  }

  /** Whether a log line of the organization may be kept. */
  admitsLog(org: string, bytes: number, nowMs: number): boolean {
    return this.#logBytes.take(org, nowMs, bytes) === 0;
  }
}

function refuse(waitMs: number, message: string): void {
  if (waitMs === 0) return;
  const retryAfterSeconds = String(Math.ceil(waitMs / 1_000));
  throw new IgniteError({
    code: "resource_exhausted",
    reason: "RATE_LIMITED",
    message,
    hint: `Call again in ${retryAfterSeconds} s, and less often.`,
    details: { retryAfterSeconds },
  });
}
