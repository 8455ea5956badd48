import { and, asc, eq, gt, lte, sql } from "drizzle-orm";
import { idempotency } from "../db/schema.ts";
import type { IdempotencyStore } from "../ports.ts";
import { affectedBy, type Database, translated } from "./database.ts";

/** Answers for repeated calls in libSQL. */
export function idempotencyStore(db: Database): IdempotencyStore {
  return {
    async find(org, actor, key, nowMs) {
      const found = db
        .select()
        .from(idempotency)
        .where(
          and(
            eq(idempotency.org, org),
            eq(idempotency.actor, actor),
            eq(idempotency.key, key),
            gt(idempotency.expiresMs, nowMs),
          ),
        );
      return (await translated(() => found))[0];
    },
    async prune(nowMs, limit) {
      const old = db
        .select({ rowid: sql`rowid` })
        .from(idempotency)
        .where(lte(idempotency.expiresMs, nowMs))
        .orderBy(asc(idempotency.expiresMs))
        .limit(limit);
      const deleted = db.delete(idempotency).where(sql`rowid IN ${old}`);
      return affectedBy(await translated(() => deleted));
    },
  };
}
