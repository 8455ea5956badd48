import { and, asc, desc, eq, gt, lt, max, min, sql } from "drizzle-orm";
import type { AppId } from "../../core/ids.ts";
import { executionLogs, logBatches } from "../db/schema.ts";
import type { LogItem, LogRow, LogStore } from "../ports.ts";
import { crowdedApps } from "./crowded.ts";
import {
  affectedBy,
  type Database,
  GuardError,
  guard,
  runBatch,
  type Statement,
  translated,
  withoutNulls,
} from "./database.ts";
import { readable } from "./text.ts";

const BATCHES_KEPT_MS = 24 * 60 * 60 * 1000; // An edge gives up repeating long before

/** Logs in libSQL. */
export function logStore(db: Database): LogStore {
  return {
    async append(batch, items) {
      const timeMs = items.reduce((latest, item) => Math.max(latest, item.timeMs), 0);
      const statements = [
        guard(
          db,
          "not_applicable",
          sql`NOT EXISTS (SELECT 1 FROM ${logBatches}
              WHERE ${logBatches.boot} = ${batch.boot} AND ${logBatches.batch} = ${batch.batch})`,
        ),
        db.insert(logBatches).values({ ...batch, timeMs }),
        ...items.map((item) => appendStatement(db, item)),
      ];
      await runBatch(db, statements).catch((error: unknown) => {
        if (!(error instanceof GuardError)) throw error;
      });
    },
    async list({ appId, executionId, after }, limit) {
      const found = db
        .select()
        .from(executionLogs)
        .where(and(inLog(appId, executionId), gt(executionLogs.sequence, after)))
        .orderBy(asc(executionLogs.sequence))
        .limit(limit);
      return (await translated(() => found)).map(rowOf);
    },
    async newest({ appId, executionId }, count) {
      const found = db
        .select()
        .from(executionLogs)
        .where(inLog(appId, executionId))
        .orderBy(desc(executionLogs.sequence))
        .limit(count);
      return (await translated(() => found)).map(rowOf).toReversed();
    },
    async bounds(appId) {
      const ofApp = eq(executionLogs.appId, appId);
      const first = db
        .select({ at: min(executionLogs.sequence) })
        .from(executionLogs)
        .where(ofApp);
      const last = db
        .select({ at: max(executionLogs.sequence) })
        .from(executionLogs)
        .where(ofApp);
      const results = (await runBatch(db, [first, last])) as { at: number | null }[][];
      const [oldest, newest] = results.map(([row]) => row?.at ?? 0);
      return { first: oldest ?? 0, last: newest ?? 0 };
    },
    async prune(beforeMs, limit) {
      const old = sql`SELECT rowid FROM ${executionLogs} AS old
        WHERE time_ms < ${beforeMs} AND sequence <
          (SELECT max(sequence) FROM ${executionLogs} WHERE app_id = old.app_id)
        ORDER BY time_ms LIMIT ${limit}`;
      const [deleted] = await runBatch(db, [
        db.delete(executionLogs).where(sql`rowid IN (${old})`),
        db.delete(logBatches).where(lt(logBatches.timeMs, beforeMs - BATCHES_KEPT_MS)),
      ]);
      return affectedBy(deleted);
    },
    crowded: (rowsMax) => crowdedApps(db, executionLogs, rowsMax),
    async trim(appId, limit) {
      const old = sql`SELECT rowid FROM ${executionLogs} WHERE app_id = ${appId} AND sequence <
          (SELECT max(sequence) FROM ${executionLogs} WHERE app_id = ${appId})
        ORDER BY sequence LIMIT ${limit}`;
      const deleted = db.delete(executionLogs).where(sql`rowid IN (${old})`);
      return affectedBy(await translated(() => deleted));
    },
  };
}

/** Appends one item behind the newest of its app, which is never pruned. */
function appendStatement(db: Database, item: LogItem): Statement {
  const { appId, timeMs } = item;
  const next = sql<number>`coalesce((SELECT sequence + count FROM ${executionLogs}
    WHERE app_id = ${appId} ORDER BY sequence DESC LIMIT 1), 1)`;
  if (item.kind === "gap") {
    const { kind, count, reason } = item;
    return db.insert(executionLogs).values({ appId, sequence: next, kind, count, timeMs, reason });
  }
  return db.insert(executionLogs).values({
    ...item,
    sequence: next,
    count: 1,
    message: readable(item.message),
    stack: item.stack === undefined ? null : readable(item.stack),
  });
}

function inLog(appId: AppId, executionId: string | undefined) {
  const ofApp = eq(executionLogs.appId, appId);
  return executionId === undefined ? ofApp : and(ofApp, eq(executionLogs.executionId, executionId));
}

function rowOf(stored: typeof executionLogs.$inferSelect): LogRow {
  const { count, reason, ...line } = stored;
  const { appId, sequence, timeMs } = line;
  return stored.kind === "gap"
    ? { kind: "gap", appId, sequence, timeMs, count, reason: reason ?? "" }
    : (withoutNulls(line) as LogRow);
}
