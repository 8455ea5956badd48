import { and, asc, desc, eq, gt, isNull, or, type SQL, sql } from "drizzle-orm";
import { apiKeys, organizations } from "../db/schema.ts";
import type { KeyRow, KeyStore } from "../ports.ts";
import { runCommit } from "./commit.ts";
import { type Database, type Statement, translated, withoutNulls } from "./database.ts";
import { expectRevision } from "./organization.ts";
import { pageOf, parseTimeCursor, timeCursor } from "./page.ts";

/** API keys in libSQL. */
export function keyStore(db: Database): KeyStore {
  const findBy = async (condition: SQL): Promise<KeyRow | undefined> => {
    const [row] = await translated(() => db.select().from(apiKeys).where(condition));
    return row && withoutNulls(row);
  };
  return {
    findBySha256: (sha256) => findBy(eq(apiKeys.sha256, sha256)),
    get: (id) => findBy(eq(apiKeys.id, id)),
    async list({ org, includeDead, nowMs }, page) {
      const found = db
        .select()
        .from(apiKeys)
        .where(
          and(
            eq(apiKeys.org, org),
            includeDead ? undefined : isLive(nowMs),
            page.cursor === undefined ? undefined : isOlder(page.cursor),
          ),
        )
        .orderBy(desc(apiKeys.createdMs), desc(apiKeys.id))
        .limit(page.limit + 1);
      const rows = (await translated(() => found)).map(withoutNulls);
      return pageOf(rows, page, ({ createdMs, id }) => timeCursor(createdMs, id));
    },
    async listLive(org, nowMs) {
      const found = db
        .select()
        .from(apiKeys)
        .where(and(eq(apiKeys.org, org), isLive(nowMs)))
        .orderBy(asc(apiKeys.id));
      return (await translated(() => found)).map(withoutNulls);
    },
    async create(key, orgRevision, commit) {
      await runCommit(db, commit, [
        ...raiseRevision(db, key.org, orgRevision, commit.audit.timeMs),
        db.insert(apiKeys).values(key),
      ]);
    },
    async revoke(key, revokedMs, orgRevision, commit) {
      await runCommit(db, commit, [
        ...raiseRevision(db, key.org, orgRevision, commit.audit.timeMs),
        db.update(apiKeys).set({ revokedMs }).where(eq(apiKeys.id, key.id)),
      ]);
    },
    async touch(id, usedMs) {
      await translated(() =>
        db.update(apiKeys).set({ lastUsedMs: usedMs }).where(eq(apiKeys.id, id)),
      );
    },
  };
}

function isLive(nowMs: number): SQL | undefined {
  const hasTime = or(isNull(apiKeys.expiresMs), gt(apiKeys.expiresMs, nowMs));
  return and(isNull(apiKeys.revokedMs), hasTime);
}

function isOlder(cursor: string): SQL {
  const { timeMs, id } = parseTimeCursor(cursor);
  return sql`(${apiKeys.createdMs}, ${apiKeys.id}) < (${timeMs}, ${id})`;
}

function raiseRevision(db: Database, org: string, revision: number, nowMs: number): Statement[] {
  return [
    expectRevision(db, org, revision),
    db
      .update(organizations)
      .set({ revision: revision + 1, updatedMs: nowMs })
      .where(eq(organizations.name, org)),
  ];
}
