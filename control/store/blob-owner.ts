import { and, eq, inArray, sql } from "drizzle-orm";
import type { Digest } from "../../core/ids.ts";
import { drafts, orgBlobs, versions } from "../db/schema.ts";
import type { BlobOwnerStore } from "../ports.ts";
import { type Database, runBatch, translated } from "./database.ts";

/** Owners of blobs in libSQL. */
export function blobOwnerStore(db: Database): BlobOwnerStore {
  return {
    async add(org, digest, sizeBytes, nowMs) {
      const row = { org, digest, sizeBytes, createdMs: nowMs };
      await translated(() => db.insert(orgBlobs).values(row).onConflictDoNothing());
    },
    async has(org, digest) {
      const found = db
        .select({ digest: orgBlobs.digest })
        .from(orgBlobs)
        .where(and(eq(orgBlobs.org, org), eq(orgBlobs.digest, digest)));
      return (await translated(() => found)).length > 0;
    },
    async bytesOf(org) {
      const found = db.all<{ bytes: number }>(
        sql`SELECT
          (SELECT coalesce(sum(size_bytes), 0) FROM org_blobs WHERE org = ${org}) +
          (SELECT coalesce(sum(versions.size_bytes + octet_length(code_json) +
             octet_length(config_json) + octet_length(diagnostics_json)), 0)
           FROM apps JOIN versions ON versions.app_id = apps.id
           WHERE apps.org = ${org}) AS bytes`,
      );
      return (await translated(() => found))[0]?.bytes ?? 0;
    },
    async referenced(digests) {
      if (digests.length === 0) return new Set();
      const results = await runBatch(
        db,
        [
          { table: drafts, column: drafts.sourceDigest },
          { table: versions, column: versions.sourceDigest },
          { table: versions, column: versions.artifactDigest },
        ].map(({ table, column }) =>
          db
            .selectDistinct({ digest: column })
            .from(table)
            .where(inArray(column, [...digests])),
        ),
      );
      return new Set((results as { digest: Digest }[][]).flat().map(({ digest }) => digest));
    },
    async forget(digests) {
      if (digests.length === 0) return;
      await translated(() => db.delete(orgBlobs).where(inArray(orgBlobs.digest, [...digests])));
    },
  };
}
