import { and, asc, desc, eq, gte, inArray, lt, type SQL, sql } from "drizzle-orm";
import { audit } from "../db/schema.ts";
import type { AuditStore } from "../ports.ts";
import { affectedBy, type Database, translated } from "./database.ts";
import { pageOf, parseTimeCursor, timeCursor } from "./page.ts";

/** The audit trail in libSQL. */
export function auditStore(db: Database): AuditStore {
  return {
    async list({ org, action, resourceId, actor, afterMs, beforeMs }, page) {
      const found = db
        .select()
        .from(audit)
        .where(
          and(
            org === "" ? undefined : eq(audit.org, org),
            action === "" ? undefined : eq(audit.action, action),
            resourceId === "" ? undefined : eq(audit.resourceId, resourceId),
            actor === "" ? undefined : eq(audit.actor, actor),
            afterMs === undefined ? undefined : gte(audit.timeMs, afterMs),
            beforeMs === undefined ? undefined : lt(audit.timeMs, beforeMs),
            page.cursor === undefined ? undefined : isOlder(page.cursor),
          ),
        )
        .orderBy(desc(audit.timeMs), desc(audit.id))
        .limit(page.limit + 1);
      const rows = await translated(() => found);
      return pageOf(rows, page, ({ timeMs, id }) => timeCursor(timeMs, id));
    },
    async prune(beforeMs, limit) {
      const old = db
        .select({ id: audit.id })
        .from(audit)
        .where(lt(audit.timeMs, beforeMs))
        .orderBy(asc(audit.timeMs))
        .limit(limit);
      const deleted = db.delete(audit).where(inArray(audit.id, old));
      return affectedBy(await translated(() => deleted));
    },
  };
}

function isOlder(cursor: string): SQL {
  const { timeMs, id } = parseTimeCursor(cursor);
  return sql`(${audit.timeMs}, ${audit.id}) < (${timeMs}, ${id})`;
}
