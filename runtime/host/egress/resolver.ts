/** Names to checked addresses: each name is resolved once a request, and dialled as checked. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { IgniteError } from "../../../core/errors.ts";
import type { AddressPolicy } from "./addresses.ts";
import { refused, type Target } from "./target.ts";

/** An address as `net.connect` takes it from a lookup. */
export interface ResolvedAddress {
  address: string;
  family: number;
}

/** Resolves a name to all of its addresses. Rejects when it has none. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

const CACHE_TTL_MS = 5_000; // Spares a busy app the lookups, and is short for those who move
const CACHE_ENTRIES_MAX = 2_000; // Bounds memory
const RESOLVE_TIMEOUT_MS = 10_000; // Two tries of a usual resolver

/** The system's resolver with a short memory. */
export function systemResolve(nowMs: () => number = () => performance.now()): Resolve {
  const cache = new Map<string, { at: number; answer: Promise<readonly ResolvedAddress[]> }>();
  return (hostname) => {
    const known = cache.get(hostname);
    if (known !== undefined && nowMs() - known.at < CACHE_TTL_MS) return known.answer;
    const answer = withTimeout(lookup(hostname, { all: true, verbatim: true }));
    cache.delete(hostname);
    cache.set(hostname, { at: nowMs(), answer });
    answer.catch(() => cache.delete(hostname));
    const [oldest] = cache.keys();
    if (cache.size > CACHE_ENTRIES_MAX && oldest !== undefined) cache.delete(oldest);
    return answer;
  };
}

/**
 * The addresses of a target, each of them allowed. Fails with EGRESS_DENIED when a single one is
 * not (a name that mixes public and private addresses is an attack or a mistake), with
 * EGRESS_FAILED when the name does not resolve.
 */
export async function resolveTarget(
  target: Target,
  resolve: Resolve,
  policy: AddressPolicy,
): Promise<readonly ResolvedAddress[]> {
  const { hostname, port } = target;
  const family = isIP(hostname);
  const addresses =
    family === 0 ? await resolveName(hostname, resolve) : [{ address: hostname, family }];
  for (const { address } of addresses) {
    const refusal = policy.refusal(address, port);
    if (refusal === undefined) continue;
    const what = family === 0 ? `${hostname} (${address})` : hostname;
    throw refused(`${what} ${refusal}.`, "Apps reach public addresses, and each other by URL.");
  }
  return addresses;
}

async function resolveName(
  hostname: string,
  resolve: Resolve,
): Promise<readonly ResolvedAddress[]> {
  try {
    const addresses = await resolve(hostname);
    if (addresses.length > 0) return addresses;
  } catch (cause) {
    throw notResolved(hostname, cause);
  }
  throw notResolved(hostname);
}

function notResolved(hostname: string, cause?: unknown): IgniteError {
  return new IgniteError({
    code: "unavailable",
    reason: "EGRESS_FAILED",
    message: `The name ${hostname} does not resolve.`,
    cause,
  });
}

async function withTimeout<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("timed out")), RESOLVE_TIMEOUT_MS);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
