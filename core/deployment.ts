/**
 * The documents that the edge reads. Control writes and signs one per app and one per
 * organization on every change; an edge verifies, keeps the newest of each key by `sequence`, and
 * serves from them alone, so it goes on while control is down.
 */
import type { Digest } from "./ids.ts";
import { type ChannelKey, fromBase64Url, toBase64Url } from "./plane-token.ts";

/** A document as it travels: `body` is JSON, `signature` covers kind, key, sequence and body. */
export interface SignedDocument {
  kind: "app" | "organization";
  /** `org/app`, or the organization's name. */
  key: string;
  /** Grows with every change of any document; the highest for a key wins. */
  sequence: number;
  body: string;
  signature: string;
}

/** Which versions of one app get traffic, and under what rules. */
export interface AppDocument {
  appId: string;
  org: string;
  app: string;
  deleted: boolean;
  /** Custom domains, lower case, without port. */
  domains: readonly string[];
  access: AccessPolicy;
  limits: InvocationLimits;
  traffic: readonly TrafficShare[];
  /** How a caller keeps getting the same version while traffic is split. */
  sticky: "none" | "cookie" | "header";
  schema: { input?: unknown; output?: unknown };
  /** By version number, as decimal text. Holds every version that can be reached. */
  versions: Readonly<Record<string, VersionDocument>>;
}

/** What the edge needs to load one version. */
export interface VersionDocument {
  versionId: string;
  number: number;
  artifact: Digest;
  vars: Readonly<Record<string, string>>;
}

/** `weight` in percent; the weights of an app add up to 100, or there are none. */
export interface TrafficShare {
  version: number;
  weight: number;
}

/** Who may call an app. */
export type AccessPolicy =
  | { policy: "public" }
  | { policy: "key" }
  | { policy: "jwt"; issuer: string; audience: string; jwksUrl: string };

/** Bounds on one call; see limits.ts for the defaults. */
export interface InvocationLimits {
  memoryMb: number;
  cpuMs: number;
  timeoutMs: number;
  bodyMb: number;
  /** Empty allows every method. */
  methods: readonly string[];
}

/** What the edge knows of an organization. */
export interface OrganizationDocument {
  org: string;
  isolation: "org" | "dedicated" | "shared";
  keys: readonly KeyDocument[];
}

/** An API key as the edge knows it: never the key itself. */
export interface KeyDocument {
  id: string;
  sha256: string;
  role: "owner" | "developer" | "invoker" | "reader";
  /** App names (without organization) it is limited to; empty means all. */
  apps: readonly string[];
  expiresMs: number | undefined;
}

/** How a finished invocation is reported, edge to control. */
export interface ExecutionRecord {
  id: string;
  app: string;
  version: number;
  method: string;
  path: string;
  status: number;
  outcome: "succeeded" | "failed" | "cancelled" | "timed_out";
  /** A core/errors Reason when the outcome is not `succeeded`. */
  reason: string | undefined;
  startedMs: number;
  durationMs: number;
  cold: boolean;
}

/** One line of a guest's log, edge to control; `sequence` counts per app and edge boot. */
export interface LogRecord {
  app: string;
  version: number;
  executionId: string | undefined;
  timeMs: number;
  level: "debug" | "info" | "log" | "warn" | "error";
  message: string;
  stack: string | undefined;
}

const encoder = new TextEncoder();

/** Signs a document with the `documents` channel key (see plane-token.ts). */
export async function signDocument(
  key: ChannelKey,
  document: Omit<SignedDocument, "signature">,
): Promise<SignedDocument> {
  const mac = await crypto.subtle.sign("HMAC", key, signedBytes(document));
  return { ...document, signature: toBase64Url(new Uint8Array(mac)) };
}

/** Whether the signature is ours, compared in constant time by WebCrypto. */
export async function verifyDocument(key: ChannelKey, document: SignedDocument): Promise<boolean> {
  let mac: Uint8Array<ArrayBuffer>;
  try {
    mac = fromBase64Url(document.signature);
  } catch {
    return false;
  }
  return crypto.subtle.verify("HMAC", key, mac, signedBytes(document));
}

function signedBytes(document: Omit<SignedDocument, "signature">): Uint8Array<ArrayBuffer> {
  const { kind, key, sequence, body } = document;
  return new Uint8Array(encoder.encode(JSON.stringify([kind, key, sequence, body])));
}
