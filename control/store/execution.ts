import { and, asc, desc, eq, inArray, lt, type SQL, sql } from "drizzle-orm";
import { executions } from "../db/schema.ts";
import type { ExecutionStore } from "../ports.ts";
import { crowdedApps } from "./crowded.ts";
import { affectedBy, type Database, runBatch, translated, withoutNulls } from "./database.ts";
import { pageOf, parseTimeCursor, timeCursor } from "./page.ts";
import { readable } from "./text.ts";

const ROWS_PER_STATEMENT = 500; // 11 columns each stay below SQLite's 32,766 arguments

/** Executions in libSQL. */
export function executionStore(db: Database): ExecutionStore {
  return {
    async insert(rows) {
      const clean = rows.map((row) => ({ ...row, path: readable(row.path) }));
      const statements = chunksOf(clean, ROWS_PER_STATEMENT).map((chunk) =>
        db.insert(executions).values(chunk).onConflictDoNothing(),
      );
      const results = await runBatch(db, statements);
      return results.reduce<number>((sum, result) => sum + affectedBy(result), 0);
    },
    async get(id) {
      const found = db.select().from(executions).where(eq(executions.id, id));
      const [row] = await translated(() => found);
      return row && withoutNulls(row);
    },
    async list({ appId, statuses, version }, page) {
      const found = db
        .select()
        .from(executions)
        .where(
          and(
            eq(executions.appId, appId),
            version === 0 ? undefined : eq(executions.version, version),
            statuses.length === 0 ? undefined : inArray(executions.status, [...statuses]),
            page.cursor === undefined ? undefined : isOlder(page.cursor),
          ),
        )
        .orderBy(desc(executions.startedMs), desc(executions.id))
        .limit(page.limit + 1);
      const rows = (await translated(() => found)).map(withoutNulls);
      return pageOf(rows, page, ({ startedMs, id }) => timeCursor(startedMs, id));
    },
    async prune(beforeMs, limit) {
      const old = db
        .select({ id: executions.id })
        .from(executions)
        .where(lt(executions.startedMs, beforeMs))
        .orderBy(asc(executions.startedMs))
        .limit(limit);
      const deleted = db.delete(executions).where(inArray(executions.id, old));
      return affectedBy(await translated(() => deleted));
    },
    crowded: (rowsMax) => crowdedApps(db, executions, rowsMax),
    async trim(appId, limit) {
      const old = db
        .select({ id: executions.id })
        .from(executions)
        .where(eq(executions.appId, appId))
        .orderBy(asc(executions.startedMs), asc(executions.id))
        .limit(limit);
      const deleted = db.delete(executions).where(inArray(executions.id, old));
      return affectedBy(await translated(() => deleted));
    },
  };
}

/** Cuts a list into pieces of at most `size`. */
export function chunksOf<Item>(items: readonly Item[], size: number): Item[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, at) => items.slice(at * size, (at + 1) * size));
}

function isOlder(cursor: string): SQL {
  const { timeMs, id } = parseTimeCursor(cursor);
  return sql`(${executions.startedMs}, ${executions.id}) < (${timeMs}, ${id})`;
}
