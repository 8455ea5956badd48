/** All stores over one libSQL database. */
import { sql } from "drizzle-orm";
import type { Stores } from "../ports.ts";
import { appStore } from "./app.ts";
import { auditStore } from "./audit.ts";
import { blobOwnerStore } from "./blob-owner.ts";
import { type DatabaseOptions, openDatabase, translated } from "./database.ts";
import { documentStore } from "./document.ts";
import { executionStore } from "./execution.ts";
import { idempotencyStore } from "./idempotency.ts";
import { keyStore } from "./key.ts";
import { logStore } from "./log.ts";
import { organizationStore } from "./organization.ts";
import { versionStore } from "./version.ts";

/** Makes the stores. Nothing is sent before the first call. */
export function databaseStores(options: DatabaseOptions): Stores {
  const db = openDatabase(options);
  return {
    organizations: organizationStore(db),
    keys: keyStore(db),
    apps: appStore(db),
    versions: versionStore(db),
    documents: documentStore(db),
    executions: executionStore(db),
    logs: logStore(db),
    audit: auditStore(db),
    idempotency: idempotencyStore(db),
    blobOwners: blobOwnerStore(db),
    async ping() {
      await translated(() => db.run(sql`SELECT 1`));
    },
  };
}
