/** Fetches, verifies and reads artifacts, and keeps small ones for the next time. */
import { type Bundle, decodeBundle } from "../../core/bundle.ts";
import { IgniteError } from "../../core/errors.ts";
import type { Digest } from "../../core/ids.ts";
import type { Origin } from "./ports.ts";

/**
 * The bundle of that digest. Bytes with another digest are fetched once more past all caches;
 * fails with BUNDLE_REJECTED when they are wrong again, CONTROL_UNAVAILABLE when nobody has them.
 */
export async function fetchBundle(origin: Origin, digest: Digest): Promise<Bundle> {
  for (const refetch of [false, true]) {
    const blob = await origin.artifact(digest, refetch);
    if ((await digestOf(blob)) === digest) return decodeBundle(blob);
  }
  throw new IgniteError({
    code: "data_loss",
    reason: "BUNDLE_REJECTED",
    message: "The stored artifact is damaged.",
    hint: "Deploy the app again.",
    internal: `artifact ${digest} has other bytes than its digest says`,
  });
}

const KEPT_BYTES_MAX = 16 * 1024 * 1024; // Of a cell; a few thousand small apps
const KEPT_ARTIFACT_BYTES_MAX = 1024 * 1024; // Larger ones load slowly anyway
const PREFETCHES_MAX = 256; // Of one push; more come when a cell starts, which has other cares

/**
 * The bundles of a cell. Small ones stay in memory after they were verified, so that an isolate
 * that was evicted comes back without asking anybody, and a version that was just published starts
 * without its first caller waiting for the bytes.
 */
export class Bundles {
  readonly #origin: Origin;
  /** Longest unused first. */
  readonly #kept = new Map<Digest, Bundle>();
  #keptBytes = 0;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  /** As {@link fetchBundle}. */
  async get(digest: Digest): Promise<Bundle> {
    const known = this.#kept.get(digest);
    if (known !== undefined) {
      this.#kept.delete(digest);
      this.#kept.set(digest, known);
      return known;
    }
    const bundle = await fetchBundle(this.#origin, digest);
    this.#keep(digest, bundle);
    return bundle;
  }

  /** Gets those that are not here, one after the other. What cannot be had is left for later. */
  async prefetch(digests: readonly Digest[]): Promise<void> {
    if (digests.length > PREFETCHES_MAX) return;
    for (const digest of digests) {
      if (!this.#kept.has(digest)) await this.get(digest).catch(() => undefined);
    }
  }

  #keep(digest: Digest, bundle: Bundle): void {
    if (bundle.byteLength > KEPT_ARTIFACT_BYTES_MAX || this.#kept.has(digest)) return;
    this.#kept.set(digest, bundle);
    this.#keptBytes += bundle.byteLength;
    for (const [oldest, { byteLength }] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES_MAX) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= byteLength;
    }
  }
}

async function digestOf(blob: ArrayBuffer): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", blob));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
