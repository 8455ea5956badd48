/**
 * The rows that the stores keep. They are plain JSON data: what has a shape on the wire is kept as
 * proto3 JSON text, so that it can grow there without a step of the schema.
 */
import type { TrafficShare } from "../core/deployment.ts";
import type {
  AppId,
  AuditId,
  Digest,
  ExecutionId,
  KeyId,
  OrganizationId,
  VersionId,
} from "../core/ids.ts";

/** An organization. Keys hang on it: every change of a key raises its `revision` too. */
export interface OrganizationRow {
  id: OrganizationId;
  name: string;
  displayName: string;
  isolation: "org" | "dedicated" | "shared";
  /** Proto3 JSON of `Quota`. */
  quotaJson: string;
  /** Grows by one with every change of the organization or its keys; guards its document. */
  revision: number;
  createdMs: number;
  updatedMs: number;
}

/** What a key may do in its organization; see operations/permissions.ts. */
export type KeyRole = "owner" | "developer" | "reader" | "invoker";

/** An API key, of which only the digest is known. */
export interface KeyRow {
  id: KeyId;
  /** Name of the organization. */
  org: string;
  name: string;
  role: KeyRole;
  /** App names (without organization) it is limited to; empty means all. */
  apps: readonly string[];
  /** First characters of the key, to recognize it by. */
  prefix: string;
  /** SHA-256 of the whole key, hexadecimal; unique. */
  sha256: string;
  /** Whether it may call AdminService. */
  operator: boolean;
  createdMs: number;
  expiresMs?: number | undefined;
  lastUsedMs?: number | undefined;
  revokedMs?: number | undefined;
}

/** An app. `org` and `name` are unique together, deleted or not. */
export interface AppRow {
  id: AppId;
  org: string;
  name: string;
  description: string;
  /** Proto3 JSON of `Access`; absent means what each version says. */
  accessJson?: string | undefined;
  /** Custom host names, lower case; each belongs to at most one app that is not deleted. */
  domains: readonly string[];
  traffic: readonly TrafficShare[];
  sticky: "none" | "cookie" | "header";
  /** Number of the newest version; 0 when there is none. */
  latestVersion: number;
  /** Version that had most traffic before the present one; where a rollback goes. */
  previousVersion?: number | undefined;
  /** Grows by one with every change a caller asks for; its etag is made from it. */
  revision: number;
  /** Grows by one with every change of its document; guards that. */
  documentRevision: number;
  createdMs: number;
  updatedMs: number;
  deletedMs?: number | undefined;
}

/** The draft of an app; every app has one from its creation on. */
export interface DraftRow {
  appId: AppId;
  /** Proto3 JSON of `Code`; absent until the first update. */
  codeJson?: string | undefined;
  /** Proto3 JSON of `AppConfig`. */
  configJson: string;
  sourceDigest?: Digest | undefined;
  /** Grows by one with every change; its etag is made from it. */
  revision: number;
  updatedMs: number;
  /** Number of the version last made from it; 0 when there is none. */
  lastVersion: number;
}

/** Life of a version that exists. */
export type VersionState = "compiling" | "ready" | "active" | "superseded" | "failed";

/** A version of an app. */
export interface VersionRow {
  id: VersionId;
  appId: AppId;
  number: number;
  state: VersionState;
  codeJson: string;
  configJson: string;
  sourceDigest?: Digest | undefined;
  /** SHA-256 of code and configuration: equal input need not be compiled twice. */
  inputDigest: string;
  artifactDigest?: Digest | undefined;
  sizeBytes: number;
  assetCount: number;
  moduleCount: number;
  message: string;
  /** JSON array of proto3 JSON `Diagnostic`s. */
  diagnosticsJson: string;
  /** Proto3 JSON of `Failure`. */
  failureJson?: string | undefined;
  createdMs: number;
  compiledMs?: number | undefined;
  publishedMs?: number | undefined;
  /** Id of the key that made it. */
  createdBy: string;
}

/** One finished invocation. */
export interface ExecutionRow {
  id: ExecutionId;
  appId: AppId;
  version: number;
  status: "succeeded" | "failed" | "cancelled" | "timed_out";
  reason?: string | undefined;
  method: string;
  path: string;
  responseStatus: number;
  startedMs: number;
  durationMs: number;
  cold: boolean;
}

/** What the edge reports about one app's log: a line, or how many lines it dropped. */
export type LogItem =
  | {
      kind: "line";
      appId: AppId;
      version: number;
      executionId?: string | undefined;
      timeMs: number;
      level: "debug" | "info" | "log" | "warn" | "error";
      message: string;
      stack?: string | undefined;
    }
  | { kind: "gap"; appId: AppId; count: number; reason: string; timeMs: number };

/**
 * A log item with its place. Positions grow per app from 1 on without holes: a line takes one, a
 * gap takes `count` and stands at the first of them.
 */
export type LogRow = LogItem & { sequence: number };

/** One change, for the audit trail. */
export interface AuditRow {
  id: AuditId;
  timeMs: number;
  org: string;
  /** Id of the key that called; empty for the platform itself. */
  actor: string;
  /** Such as `app.create`. */
  action: string;
  resourceId: string;
  resourceName: string;
  requestId: string;
  attributes: Readonly<Record<string, string>>;
}

/** How a call is answered when it comes again with the same idempotency key. */
export interface IdempotencyRow {
  org: string;
  /** Id of the API key; idempotency keys of two API keys never meet. */
  actor: string;
  key: string;
  method: string;
  /** SHA-256 of the request. */
  requestDigest: string;
  /** JSON of the operation's result. */
  resultJson: string;
  expiresMs: number;
}
