/** Which version of an app answers a request: by weight, the same one again when it is sticky. */
import type { AppDocument, VersionDocument } from "../../core/deployment.ts";

/** A version, and the bucket to hand back to a caller who has none yet. */
export interface Choice {
  version: VersionDocument;
  /** Set when the answer must carry the sticky cookie. */
  newBucket: number | undefined;
}

/** Name of the cookie, and of the header, that keep a caller on one version. */
export const stickyName = "ignite-sticky";

const BUCKETS = 10_000;
const COOKIE = new RegExp(`(?:^|;\\s*)${stickyName}=([0-9]{1,4})(?:;|$)`);

/** Picks by weight. Undefined when no version gets traffic. */
export function chooseVersion(document: AppDocument, request: Request): Choice | undefined {
  const { traffic, sticky, versions } = document;
  const [first] = traffic;
  if (first === undefined) return undefined;
  if (traffic.length === 1) return choice(versions, first.version, undefined);
  const known = knownBucket(sticky, request);
  const bucket = known ?? Math.floor(Math.random() * BUCKETS);
  const number = versionOfBucket(traffic, bucket);
  return choice(versions, number, sticky === "cookie" && known === undefined ? bucket : undefined);
}

/** The cookie that keeps `bucket`; `path` is the prefix of the path form, or `/`. */
export function stickyCookie(bucket: number, path: string): string {
  return `${stickyName}=${bucket}; Path=${path}; HttpOnly; SameSite=Lax`;
}

function choice(
  versions: AppDocument["versions"],
  number: number,
  newBucket: number | undefined,
): Choice | undefined {
  const version = versions[number];
  return version && { version, newBucket };
}

/** Lowest version first, so a caller moves at most once while weight shifts to a newer one. */
function versionOfBucket(traffic: AppDocument["traffic"], bucket: number): number {
  const shares = traffic.toSorted((a, b) => a.version - b.version);
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  let upTo = 0;
  for (const { version, weight } of shares) {
    upTo += (weight / total) * BUCKETS;
    if (bucket < upTo) return version;
  }
  return shares.findLast(({ weight }) => weight > 0)?.version ?? 0;
}

function knownBucket(sticky: AppDocument["sticky"], request: Request): number | undefined {
  if (sticky === "header") {
    const value = request.headers.get(stickyName);
    return value === null ? undefined : hashOf(value) % BUCKETS;
  }
  if (sticky === "none") return undefined;
  const digits = COOKIE.exec(request.headers.get("cookie") ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** FNV-1a, 32 bits: spreads equally and needs no promise. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}
