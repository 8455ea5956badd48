/**
 * The newest schema of the control plane's database. Migrations are generated from it, and a test
 * proves that they lead here. Times are milliseconds since the epoch; columns that end in `_json`
 * hold JSON text. Rows of an app go with it when it is purged.
 */
import { sql } from "drizzle-orm";
import {
  check,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import type { SignedDocument, TrafficShare } from "../../core/deployment.ts";
import type {
  AppId,
  AuditId,
  Digest,
  ExecutionId,
  KeyId,
  OrganizationId,
  VersionId,
} from "../../core/ids.ts";

/** Who owns apps and keys. */
export const organizations = sqliteTable("organizations", {
  /** `org_…` */
  id: text().$type<OrganizationId>().primaryKey(),
  /** What it is called in names and hosts; never changes. */
  name: text().notNull().unique(),
  /** What people call it. */
  displayName: text("display_name").notNull(),
  /** With whom its apps share a process. */
  isolation: text({ enum: ["org", "dedicated", "shared"] }).notNull(),
  /** Proto3 JSON of its `Quota`. */
  quotaJson: text("quota_json").notNull(),
  /** Grows by one with every change of it or of its keys. */
  revision: integer().notNull(),
  createdMs: integer("created_ms").notNull(),
  updatedMs: integer("updated_ms").notNull(),
});

/** API keys, of which only the digest is kept. */
export const apiKeys = sqliteTable(
  "api_keys",
  {
    /** `key_…` */
    id: text().$type<KeyId>().primaryKey(),
    /** Name of the organization it acts for. */
    org: text()
      .notNull()
      .references(() => organizations.name),
    /** What its owner calls it. */
    name: text().notNull(),
    /** What it may do there. */
    role: text({ enum: ["owner", "developer", "reader", "invoker"] }).notNull(),
    /** Names of the only apps it may touch; empty means all. */
    apps: text("apps_json", { mode: "json" }).$type<readonly string[]>().notNull(),
    /** Its first characters, to recognize it by. */
    prefix: text().notNull(),
    /** SHA-256 of the whole key, hexadecimal. */
    sha256: text().notNull().unique(),
    /** Whether it may administer the platform. */
    operator: integer({ mode: "boolean" }).notNull(),
    createdMs: integer("created_ms").notNull(),
    /** When it ends by itself; null is never. */
    expiresMs: integer("expires_ms"),
    /** When it was last seen, to the minute or so. */
    lastUsedMs: integer("last_used_ms"),
    /** When it was taken back; null is not. */
    revokedMs: integer("revoked_ms"),
  },
  (table) => [index("api_keys_by_org").on(table.org, table.createdMs, table.id)],
);

/** Apps, deleted ones included until they are purged. */
export const apps = sqliteTable(
  "apps",
  {
    /** `app_…` */
    id: text().$type<AppId>().primaryKey(),
    /** Name of the organization that owns it. */
    org: text()
      .notNull()
      .references(() => organizations.name),
    /** Its name within the organization. */
    name: text().notNull(),
    description: text().notNull(),
    /** Proto3 JSON of `Access`; null leaves it to the version. */
    accessJson: text("access_json"),
    /** Its custom host names, as the caller gave them; `app_domains` says who has them. */
    domains: text("domains_json", { mode: "json" }).$type<readonly string[]>().notNull(),
    /** Which versions get how much of the traffic. */
    traffic: text("traffic_json", { mode: "json" }).$type<readonly TrafficShare[]>().notNull(),
    /** By what a caller keeps its version. */
    sticky: text({ enum: ["none", "cookie", "header"] }).notNull(),
    /** Number of the newest version; 0 is none. */
    latestVersion: integer("latest_version").notNull(),
    /** Where a rollback goes. */
    previousVersion: integer("previous_version"),
    /** Grows by one with every change a caller asks for. */
    revision: integer().notNull(),
    /** Grows by one with every change of its document. */
    documentRevision: integer("document_revision").notNull(),
    createdMs: integer("created_ms").notNull(),
    updatedMs: integer("updated_ms").notNull(),
    /** When it was deleted; null is not. */
    deletedMs: integer("deleted_ms"),
  },
  (table) => [
    uniqueIndex("apps_by_name").on(table.org, table.name),
    index("apps_by_deletion").on(table.deletedMs).where(sql`deleted_ms IS NOT NULL`),
  ],
);

/** Which app answers at a custom host name; apps that are deleted have given theirs up. */
export const appDomains = sqliteTable(
  "app_domains",
  {
    /** Lower case, without port. */
    domain: text().primaryKey(),
    appId: text("app_id")
      .$type<AppId>()
      .notNull()
      .references(() => apps.id, { onDelete: "cascade" }),
  },
  (table) => [index("app_domains_by_app").on(table.appId)],
);

/** The one mutable code slot of each app. */
export const drafts = sqliteTable(
  "drafts",
  {
    appId: text("app_id")
      .$type<AppId>()
      .primaryKey()
      .references(() => apps.id, { onDelete: "cascade" }),
    /** Proto3 JSON of `Code`; null until something was pushed. */
    codeJson: text("code_json"),
    /** Proto3 JSON of `AppConfig`. */
    configJson: text("config_json").notNull(),
    /** The blob of its source archive. */
    sourceDigest: text("source_digest").$type<Digest>(),
    /** Grows by one with every change. */
    revision: integer().notNull(),
    updatedMs: integer("updated_ms").notNull(),
    /** Number of the version last made from it; 0 is none. */
    lastVersion: integer("last_version").notNull(),
  },
  (table) => [index("drafts_by_source").on(table.sourceDigest)],
);

/** Versions: what was compiled when, from what, and what came of it. */
export const versions = sqliteTable(
  "versions",
  {
    /** `ver_…` */
    id: text().$type<VersionId>().primaryKey(),
    appId: text("app_id")
      .$type<AppId>()
      .notNull()
      .references(() => apps.id, { onDelete: "cascade" }),
    /** Counts the versions of the app from 1. */
    number: integer().notNull(),
    /** Where it stands in its life. */
    state: text({ enum: ["compiling", "ready", "active", "superseded", "failed"] }).notNull(),
    /** Proto3 JSON of `Code`, as the draft had it. */
    codeJson: text("code_json").notNull(),
    /** Proto3 JSON of `AppConfig`: runtime, variables, limits. */
    configJson: text("config_json").notNull(),
    /** The blob of its source archive. */
    sourceDigest: text("source_digest").$type<Digest>(),
    /** SHA-256 of code and configuration; equal ones need not be compiled twice. */
    inputDigest: text("input_digest").notNull(),
    /** The blob that compiling made. */
    artifactDigest: text("artifact_digest").$type<Digest>(),
    /** Bytes of the artifact. */
    sizeBytes: integer("size_bytes").notNull(),
    /** Static files in the artifact. */
    assetCount: integer("asset_count").notNull(),
    /** Modules in the artifact. */
    moduleCount: integer("module_count").notNull(),
    /** What its author said of it. */
    message: text().notNull(),
    /** JSON array of proto3 JSON `Diagnostic`s. */
    diagnosticsJson: text("diagnostics_json").notNull(),
    /** Proto3 JSON of `Failure`, when it failed. */
    failureJson: text("failure_json"),
    createdMs: integer("created_ms").notNull(),
    compiledMs: integer("compiled_ms"),
    /** When it first got traffic. */
    publishedMs: integer("published_ms"),
    /** Id of the key that made it. */
    createdBy: text("created_by").notNull(),
  },
  (table) => [
    uniqueIndex("versions_by_number").on(table.appId, table.number),
    index("versions_by_input").on(table.appId, table.inputDigest, table.number),
    index("versions_by_source").on(table.sourceDigest),
    index("versions_by_artifact").on(table.artifactDigest),
    index("versions_compiling").on(table.createdMs).where(sql`state = 'compiling'`),
  ],
);

/** Finished invocations, as the edge reported them. */
export const executions = sqliteTable(
  "executions",
  {
    /** `exe_…` */
    id: text().$type<ExecutionId>().primaryKey(),
    appId: text("app_id").$type<AppId>().notNull(),
    /** Number of the version that ran. */
    version: integer().notNull(),
    status: text({ enum: ["succeeded", "failed", "cancelled", "timed_out"] }).notNull(),
    /** Why it did not succeed; a reason of docs/errors.md. */
    reason: text(),
    method: text().notNull(),
    /** Path of the request, without query. */
    path: text().notNull(),
    /** HTTP status of the answer. */
    responseStatus: integer("response_status").notNull(),
    startedMs: integer("started_ms").notNull(),
    durationMs: integer("duration_ms").notNull(),
    /** Whether the isolate was started for it. */
    cold: integer({ mode: "boolean" }).notNull(),
  },
  (table) => [
    index("executions_by_app").on(table.appId, table.startedMs, table.id),
    index("executions_by_version").on(table.appId, table.version, table.startedMs, table.id),
    index("executions_by_start").on(table.startedMs),
  ],
);

/** Logs of apps. Positions have no holes: a gap stands for the lines that were dropped. */
export const executionLogs = sqliteTable(
  "execution_logs",
  {
    appId: text("app_id").$type<AppId>().notNull(),
    /** Position in the log of the app, from 1; of a gap the first that it stands for. */
    sequence: integer().notNull(),
    kind: text({ enum: ["line", "gap"] }).notNull(),
    /** Positions taken: 1, or how many lines the gap stands for. */
    count: integer().notNull(),
    /** Number of the version that wrote it; of a gap null. */
    version: integer(),
    /** The execution that wrote it, when it is known. */
    executionId: text("execution_id"),
    timeMs: integer("time_ms").notNull(),
    level: text({ enum: ["debug", "info", "log", "warn", "error"] }),
    message: text(),
    /** Stack of an error, source-mapped. */
    stack: text(),
    /** Why the lines of a gap were dropped. */
    reason: text(),
  },
  (table) => [
    primaryKey({ columns: [table.appId, table.sequence] }),
    index("execution_logs_by_execution")
      .on(table.appId, table.executionId, table.sequence)
      .where(sql`execution_id IS NOT NULL`),
    index("execution_logs_by_time").on(table.timeMs),
  ],
);

/** Batches of logs that were written, so that one which is sent again is not. */
export const logBatches = sqliteTable(
  "log_batches",
  {
    /** Random id of one life of an edge host. */
    boot: text().notNull(),
    /** Counts the batches of that life. */
    batch: integer().notNull(),
    /** Time of its newest item. */
    timeMs: integer("time_ms").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.boot, table.batch] }),
    index("log_batches_by_time").on(table.timeMs),
  ],
);

/** What the edge reads: the newest signed document of each app and organization. */
export const documents = sqliteTable(
  "documents",
  {
    kind: text().$type<SignedDocument["kind"]>().notNull(),
    /** `org/app`, or the name of the organization. */
    key: text().notNull(),
    /** One counter for all documents, growing in the order of commits. */
    sequence: integer().notNull().unique(),
    /** JSON of the document. */
    body: text().notNull(),
    /** HMAC over kind, key, sequence and body. */
    signature: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.key] })],
);

/** Answers kept for calls that come again. */
export const idempotency = sqliteTable(
  "idempotency",
  {
    org: text().notNull(),
    /** Id of the API key that called. */
    actor: text().notNull(),
    /** What the caller chose. */
    key: text().notNull(),
    /** The method that was called. */
    method: text().notNull(),
    /** SHA-256 of the request: the same key with another request is a conflict. */
    requestDigest: text("request_digest").notNull(),
    /** JSON of what was answered. */
    resultJson: text("result_json").notNull(),
    /** From then on the row counts as absent. */
    expiresMs: integer("expires_ms").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.org, table.actor, table.key] }),
    index("idempotency_by_expiry").on(table.expiresMs),
  ],
);

/** Who changed what; pruned by age alone, so that nobody can push out what they did. */
export const audit = sqliteTable(
  "audit",
  {
    /** `aud_…` */
    id: text().$type<AuditId>().primaryKey(),
    timeMs: integer("time_ms").notNull(),
    /** Name of the organization it happened in. */
    org: text().notNull(),
    /** Id of the key that called; empty for the platform itself. */
    actor: text().notNull(),
    /** Such as `app.create`. */
    action: text().notNull(),
    /** Id of what was changed, and its name at that time. */
    resourceId: text("resource_id").notNull(),
    resourceName: text("resource_name").notNull(),
    /** The request that asked for it. */
    requestId: text("request_id").notNull(),
    /** What else is worth knowing; never a secret. */
    attributes: text("attributes_json", { mode: "json" })
      .$type<Readonly<Record<string, string>>>()
      .notNull(),
  },
  (table) => [
    index("audit_by_time").on(table.timeMs, table.id),
    index("audit_by_org").on(table.org, table.timeMs, table.id),
    index("audit_by_resource").on(table.resourceId, table.timeMs, table.id),
    index("audit_by_actor").on(table.actor, table.timeMs, table.id),
  ],
);

/** Which organization uploaded which blob, and so may read it. */
export const orgBlobs = sqliteTable(
  "org_blobs",
  {
    org: text().notNull(),
    digest: text().$type<Digest>().notNull(),
    sizeBytes: integer("size_bytes").notNull(),
    createdMs: integer("created_ms").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.org, table.digest] }),
    index("org_blobs_by_digest").on(table.digest),
  ],
);

/**
 * Always empty. A batch of statements cannot branch; it asserts by inserting the name of a failure
 * here when its condition does not hold, which breaks the constraint of that name and undoes all.
 */
export const guards = sqliteTable("guards", { failure: text().notNull() }, (table) => [
  check("etag_mismatch", sql`${table.failure} <> 'etag_mismatch'`),
  check("idempotency_conflict", sql`${table.failure} <> 'idempotency_conflict'`),
  check("not_applicable", sql`${table.failure} <> 'not_applicable'`),
  check("sequence_taken", sql`${table.failure} <> 'sequence_taken'`),
]);
