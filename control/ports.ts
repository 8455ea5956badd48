/**
 * What the control plane needs of the world: stores of rows, and clients of the other planes.
 *
 * One method of a store is one transaction. A method that changes something takes a {@link Commit}
 * and writes what that carries (audit row, idempotency record, signed documents) in the same
 * transaction, so that either all of it happened or nothing did.
 *
 * Every store method fails with STORE_UNAVAILABLE when the database does not answer.
 */
import type { Client } from "@connectrpc/connect";
import type { Clock } from "../core/clock.ts";
import type { SignedDocument, VersionDocument } from "../core/deployment.ts";
import type { AppId, Digest, ExecutionId, Ids, KeyId, VersionId } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import type { RegionService } from "../proto/gen/ignite/v1/region_service_pb.ts";
import type { Admission } from "./operations/admission.ts";
import type {
  AppRow,
  AuditRow,
  DraftRow,
  ExecutionRow,
  IdempotencyRow,
  KeyRow,
  LogItem,
  LogRow,
  OrganizationRow,
  VersionRow,
  VersionState,
} from "./rows.ts";

export type * from "./rows.ts";

/** What is written together with a change. */
export interface Commit {
  audit: AuditRow;
  /**
   * Written if given. The transaction fails with aborted/IDEMPOTENCY_CONFLICT when a live row
   * (`expiresMs` after `audit.timeMs`) with its org, actor and key exists.
   */
  idempotency?: IdempotencyRow | undefined;
  /**
   * Called inside the transaction with the next free document sequence (one counter for all
   * documents, strictly growing in commit order); what it answers replaces the stored document
   * of that kind and key. Awaits only WebCrypto.
   */
  document?: ((sequence: number) => Promise<SignedDocument>) | undefined;
}

/** Which part of a list is wanted. `cursor` is a `next` of the same store. */
export interface Page {
  limit: number;
  cursor?: string | undefined;
}

/** A part of a list; `next` is set when there is more. */
export interface PageOf<Row> {
  items: readonly Row[];
  next?: string | undefined;
}

/** Organizations, by name. */
export interface OrganizationStore {
  find(name: string): Promise<OrganizationRow | undefined>;
  /** By name, ascending. */
  list(page: Page): Promise<PageOf<OrganizationRow>>;
  /** Inserts both. Fails with already_exists/ORGANIZATION_EXISTS. */
  create(organization: OrganizationRow, owner: KeyRow, commit: Commit): Promise<void>;
  /** Like `create`, but only while there is no organization at all; answers whether it did. */
  createFirst(organization: OrganizationRow, owner: KeyRow, commit: Commit): Promise<boolean>;
  /** Replaces the row whose revision is `row.revision - 1`. Fails with aborted/ETAG_MISMATCH. */
  update(organization: OrganizationRow, commit: Commit): Promise<void>;
}

/** API keys. */
export interface KeyStore {
  /** Whatever its state; the caller judges expiry and revocation. */
  findBySha256(sha256: string): Promise<KeyRow | undefined>;
  get(id: KeyId): Promise<KeyRow | undefined>;
  /** Newest first. Without `includeDead`, revoked and expired ones are left out. */
  list(
    filter: { org: string; includeDead: boolean; nowMs: number },
    page: Page,
  ): Promise<PageOf<KeyRow>>;
  /** Every key of the organization that is neither revoked nor expired, by id. */
  listLive(org: string, nowMs: number): Promise<readonly KeyRow[]>;
  /**
   * Inserts a key and raises the organization's revision from `orgRevision` by one. Fails with
   * aborted/ETAG_MISMATCH when that is not its revision.
   */
  create(key: KeyRow, orgRevision: number, commit: Commit): Promise<void>;
  /** Sets `revokedMs`; raises the organization's revision as `create` does. */
  revoke(key: KeyRow, revokedMs: number, orgRevision: number, commit: Commit): Promise<void>;
  /** Notes that the key was used. */
  touch(id: KeyId, usedMs: number): Promise<void>;
}

/** How an app is named. */
export type AppQuery = { id: AppId } | { org: string; name: string };

/** What one change of an app writes. */
export interface AppChange {
  /** The new row; `revision` and `documentRevision` are set by the caller. */
  app: AppRow;
  /** Revisions that the stored row must have, else the change fails with aborted/ETAG_MISMATCH. */
  expected: { revision: number; documentRevision: number };
  /** New states of versions; `publishedMs` and `message` are replaced where given. */
  versions: readonly {
    number: number;
    state: VersionState;
    publishedMs?: number | undefined;
    message?: string | undefined;
    failureJson?: string | undefined;
  }[];
}

/** Apps and their drafts. */
export interface AppStore {
  /** Deleted ones included, until they are purged. */
  find(query: AppQuery): Promise<AppRow | undefined>;
  /** Ids of the apps with these full names (`org/app`), deleted ones included; unknown left out. */
  idsOf(fullNames: readonly string[]): Promise<ReadonlyMap<string, AppId>>;
  /** By name, ascending. `names`, when not empty, are the only ones that are listed. */
  list(
    filter: { org: string; includeDeleted: boolean; names: readonly string[] },
    page: Page,
  ): Promise<PageOf<AppRow>>;
  /** How many apps the organization has, and how many deleted ones are kept. */
  count(org: string): Promise<{ live: number; deleted: number }>;
  /** Fails with already_exists/APP_EXISTS or already_exists/DOMAIN_TAKEN. */
  create(app: AppRow, draft: DraftRow, commit: Commit): Promise<void>;
  /** Fails with aborted/ETAG_MISMATCH or already_exists/DOMAIN_TAKEN. */
  change(change: AppChange, commit: Commit): Promise<void>;
  /** Apps deleted before that time, oldest first. */
  listDeleted(beforeMs: number, limit: number): Promise<readonly AppRow[]>;
  /** Erases the app with draft, versions, executions and logs, if it is still deleted. */
  purge(id: AppId, commit: Commit): Promise<void>;

  getDraft(appId: AppId): Promise<DraftRow | undefined>;
  /** Replaces the row whose revision is `draft.revision - 1`. Fails with aborted/ETAG_MISMATCH. */
  changeDraft(draft: DraftRow, commit: Commit): Promise<void>;
}

/** What a compile came to. */
export interface CompileOutcome {
  state: "ready" | "failed";
  artifactDigest?: Digest | undefined;
  sizeBytes: number;
  assetCount: number;
  moduleCount: number;
  diagnosticsJson: string;
  failureJson?: string | undefined;
  compiledMs: number;
}

/** Versions. */
export interface VersionStore {
  get(appId: AppId, number: number): Promise<VersionRow | undefined>;
  getById(id: VersionId): Promise<VersionRow | undefined>;
  /** Newest (highest number) first; empty `states` means all. */
  list(
    filter: { appId: AppId; states: readonly VersionState[] },
    page: Page,
  ): Promise<PageOf<VersionRow>>;
  /** The newest ready, active or superseded version made from equal input. */
  findCompiled(appId: AppId, inputDigest: string): Promise<VersionRow | undefined>;
  /**
   * Those the edge must know: ready, active or superseded; the `limit` newest, and all of
   * `always`. Highest number first.
   */
  listReachable(
    appId: AppId,
    limit: number,
    always: readonly number[],
  ): Promise<readonly VersionRow[]>;
  /**
   * Inserts with the next number of its app (the given `number` is not looked at), and sets the
   * app's `latestVersion` and the draft's `lastVersion` to that. Answers the row.
   */
  create(version: VersionRow, commit: Commit): Promise<VersionRow>;
  /**
   * Ends a compile, and raises the app's document revision from `documentRevision` by one. Answers
   * false, having written nothing, when the version is not compiling any more. Fails with
   * aborted/ETAG_MISMATCH when the document revision differs.
   */
  finish(
    id: VersionId,
    outcome: CompileOutcome,
    documentRevision: number,
    commit: Commit,
  ): Promise<boolean>;
  /**
   * Deletes the app's oldest versions up to number `upTo`, `limit` at most, but none that compiles,
   * has traffic, or is in `always`; answers how many.
   */
  trim(appId: AppId, upTo: number, always: readonly number[], limit: number): Promise<number>;
  /** Fails every version that is compiling since before that time; answers how many. */
  failStale(beforeMs: number, failureJson: string, nowMs: number): Promise<number>;
}

/** Signed documents, the newest of each kind and key. */
export interface DocumentStore {
  /** By sequence, ascending, those above `after`. */
  list(after: number, limit: number): Promise<readonly SignedDocument[]>;
  find(kind: SignedDocument["kind"], key: string): Promise<SignedDocument | undefined>;
}

/** Names one batch of an edge; a batch that came before is dropped. */
export interface BatchName {
  /** Random id of one life of an edge host. */
  boot: string;
  /** Counts the batches of that life. */
  batch: number;
}

/** How many rows of a history one app has. */
export interface AppRows {
  org: string;
  appId: AppId;
  rows: number;
}

/** What grows with the calls of apps, and is kept to a size. */
export interface History {
  /** Every app of the organizations that have more than `rowsMax` rows. */
  crowded(rowsMax: number): Promise<readonly AppRows[]>;
  /** Deletes the app's oldest rows, `limit` at most; answers how many. */
  trim(appId: AppId, limit: number): Promise<number>;
}

/** Executions. */
export interface ExecutionStore extends History {
  /** Inserts those whose id is unknown; answers how many. */
  insert(rows: readonly ExecutionRow[]): Promise<number>;
  get(id: ExecutionId): Promise<ExecutionRow | undefined>;
  /** Newest start first; empty `statuses` and version 0 mean all. */
  list(
    filter: { appId: AppId; statuses: readonly ExecutionRow["status"][]; version: number },
    page: Page,
  ): Promise<PageOf<ExecutionRow>>;
  /** Deletes what started before that time; answers how many. */
  prune(beforeMs: number, limit: number): Promise<number>;
}

/** Logs of apps. The newest item of an app is never deleted: the next position follows from it. */
export interface LogStore extends History {
  /** Gives the items their positions, in order. A batch that was seen before writes nothing. */
  append(batch: BatchName, items: readonly LogItem[]): Promise<void>;
  /** By position, ascending, those above `after`. */
  list(
    filter: { appId: AppId; executionId?: string | undefined; after: number },
    limit: number,
  ): Promise<readonly LogRow[]>;
  /** The `count` newest, ascending. */
  newest(
    filter: { appId: AppId; executionId?: string | undefined },
    count: number,
  ): Promise<readonly LogRow[]>;
  /** Positions of the oldest kept and the newest item; zeros when there are none. */
  bounds(appId: AppId): Promise<{ first: number; last: number }>;
  /** Deletes what is older; answers how many. */
  prune(beforeMs: number, limit: number): Promise<number>;
}

/** The audit trail. */
export interface AuditStore {
  /** Newest first; empty fields mean all. */
  list(
    filter: {
      org: string;
      action: string;
      resourceId: string;
      actor: string;
      afterMs?: number | undefined;
      beforeMs?: number | undefined;
    },
    page: Page,
  ): Promise<PageOf<AuditRow>>;
  /** Deletes what happened before that time; answers how many. */
  prune(beforeMs: number, limit: number): Promise<number>;
}

/** Answers that are kept for repeated calls. */
export interface IdempotencyStore {
  /** The live row, if any. */
  find(org: string, actor: string, key: string, nowMs: number): Promise<IdempotencyRow | undefined>;
  /** Deletes expired rows; answers how many. */
  prune(nowMs: number, limit: number): Promise<number>;
}

/** Which organization uploaded which blob, and what still names a blob. */
export interface BlobOwnerStore {
  add(org: string, digest: Digest, sizeBytes: number, nowMs: number): Promise<void>;
  has(org: string, digest: Digest): Promise<boolean>;
  /** What the organization stores: its uploads, and versions with their artifacts. */
  bytesOf(org: string): Promise<number>;
  /** Of these digests, those that a draft or a version (source or artifact) names. */
  referenced(digests: readonly Digest[]): Promise<ReadonlySet<Digest>>;
  /** Forgets all owners of these blobs, which are about to be deleted. */
  forget(digests: readonly Digest[]): Promise<void>;
}

/** All stores; one object for drizzle, one for memory. */
export interface Stores {
  organizations: OrganizationStore;
  keys: KeyStore;
  apps: AppStore;
  versions: VersionStore;
  documents: DocumentStore;
  executions: ExecutionStore;
  logs: LogStore;
  audit: AuditStore;
  idempotency: IdempotencyStore;
  blobOwners: BlobOwnerStore;
  /** Answers when the database does; fails with STORE_UNAVAILABLE otherwise. */
  ping(): Promise<void>;
}

/** The blobs themselves, by digest. */
export interface Blobs {
  /**
   * Passes a request on and answers what the store said, both streamed. `owner` tells apart the
   * uploads in pieces of organizations; with `verify` the bytes must come even when they are there.
   */
  forward(
    digest: Digest,
    request: Request,
    upload?: { owner: string; verify: boolean },
  ): Promise<Response>;
  has(digest: Digest): Promise<boolean>;
  /** Deletes a blob unless it was written again since `beforeMs`. */
  delete(digest: Digest, beforeMs: number): Promise<void>;
  /** Blobs last written before that time. */
  list(
    beforeMs: number,
    cursor: string | undefined,
  ): Promise<{ digests: readonly Digest[]; next: string | undefined }>;
}

/** What came of loading a version in quarantine; `answers` are in the order of the requests. */
export type QuarantineResult =
  | { ok: true; loadMs: number; answers: readonly QuarantineAnswer[] }
  | { ok: false; reason: string; message: string; stack: string };

/** A request for a version in quarantine; bodies are text. */
export interface QuarantineRequest {
  method: string;
  path: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
}

/** How the version answered one request. */
export interface QuarantineAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** What a machine does to shut guests in. */
export interface SandboxStatus {
  sandboxed: boolean;
  /** What is missing, each a short phrase. */
  missing: readonly string[];
}

/** The edge host. */
export interface Edge {
  /**
   * Gives documents to every cell. Answers whether all have them; an edge that does not answer in
   * time finds them in its next poll.
   */
  push(documents: readonly SignedDocument[]): Promise<boolean>;
  /** Loads a version of `app` (`org/app`) away from traffic. Fails with EDGE_UNAVAILABLE. */
  quarantine(call: {
    app: string;
    version: VersionDocument;
    requests: readonly QuarantineRequest[];
  }): Promise<QuarantineResult>;
  /** Sends a request to the public front, as callers outside do. Fails with EDGE_UNAVAILABLE. */
  invoke(request: Request): Promise<Response>;
  /** How well it can shut guests in; fails with EDGE_UNAVAILABLE when it does not answer. */
  sandbox(): Promise<SandboxStatus>;
  /** Its counters as Prometheus text; fails as {@link Edge.sandbox}. */
  metrics(): Promise<string>;
}

/** The regional daemon's compiler; a Connect client. */
export type Region = Pick<Client<typeof RegionService>, "compile">;

/** How the compiler is; `why` says why it failed, or why compiles have no walls. */
export interface CompilerStatus {
  state: "preparing" | "ready" | "failed";
  sandboxed: boolean;
  why: string;
}

/** Everything an operation may use. */
export interface Ports {
  stores: Stores;
  blobs: Blobs;
  edge: Edge;
  region: Region;
  /** How the region's compiler is; fails with REGION_UNAVAILABLE when the region is silent. */
  examineRegion(): Promise<CompilerStatus>;
  clock: Clock;
  ids: Ids;
  log: Log;
  /** How often callers may call. */
  admission: Admission;
  /** Signs a document for the edge. */
  sign(document: Omit<SignedDocument, "signature">): Promise<SignedDocument>;
  /** HMAC-SHA-256 under a key of the control plane alone, for page tokens and the like. */
  mac(text: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Waits; ends early, without failing, when the signal fires. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Host (with port) of the platform, for URLs and hosts of apps. */
  domain: string;
  /** Address of the API, such as `http://localhost:8787`. */
  publicUrl: string;
}
