import { and, asc, desc, eq, exists, inArray, lt, lte, notInArray, or, sql } from "drizzle-orm";
import { assert } from "../../core/assert.ts";
import { apps, drafts, versions } from "../db/schema.ts";
import type { VersionRow, VersionState, VersionStore } from "../ports.ts";
import { runCommit } from "./commit.ts";
import {
  affectedBy,
  type Database,
  GuardError,
  guard,
  translated,
  withoutNulls,
} from "./database.ts";
import { pageOf, parseNumberCursor } from "./page.ts";

const COMPILED: VersionState[] = ["ready", "active", "superseded"];

/** Versions in libSQL. */
export function versionStore(db: Database): VersionStore {
  return {
    async get(appId, number) {
      const found = db
        .select()
        .from(versions)
        .where(and(eq(versions.appId, appId), eq(versions.number, number)));
      const [row] = await translated(() => found);
      return row && withoutNulls(row);
    },
    async getById(id) {
      const [row] = await translated(() => db.select().from(versions).where(eq(versions.id, id)));
      return row && withoutNulls(row);
    },
    async list({ appId, states }, page) {
      const before = page.cursor === undefined ? undefined : parseNumberCursor(page.cursor);
      const found = db
        .select()
        .from(versions)
        .where(
          and(
            eq(versions.appId, appId),
            before === undefined ? undefined : lt(versions.number, before),
            states.length === 0 ? undefined : inArray(versions.state, [...states]),
          ),
        )
        .orderBy(desc(versions.number))
        .limit(page.limit + 1);
      const rows = (await translated(() => found)).map(withoutNulls);
      return pageOf(rows, page, ({ number }) => String(number));
    },
    async findCompiled(appId, inputDigest) {
      const found = db
        .select()
        .from(versions)
        .where(
          and(
            eq(versions.appId, appId),
            eq(versions.inputDigest, inputDigest),
            inArray(versions.state, COMPILED),
          ),
        )
        .orderBy(desc(versions.number))
        .limit(1);
      const [row] = await translated(() => found);
      return row && withoutNulls(row);
    },
    async listReachable(appId, limit, always) {
      const isCompiled = and(eq(versions.appId, appId), inArray(versions.state, COMPILED));
      const newest = db
        .select({ number: versions.number })
        .from(versions)
        .where(isCompiled)
        .orderBy(desc(versions.number))
        .limit(limit);
      const wanted = [inArray(versions.number, newest)];
      if (always.length > 0) wanted.push(inArray(versions.number, [...always]));
      const found = db
        .select()
        .from(versions)
        .where(and(isCompiled, or(...wanted)))
        .orderBy(desc(versions.number));
      return (await translated(() => found)).map(withoutNulls);
    },
    create: (version, commit) => createVersion(db, version, commit),
    async finish(id, outcome, documentRevision, commit) {
      const compiling = db
        .select({ one: sql`1` })
        .from(versions)
        .where(and(eq(versions.id, id), eq(versions.state, "compiling")));
      const ofVersion = sql`${apps.id} = (SELECT app_id FROM versions WHERE id = ${id})`;
      const expected = db
        .select({ one: sql`1` })
        .from(apps)
        .where(and(ofVersion, eq(apps.documentRevision, documentRevision)));
      try {
        await runCommit(db, commit, [
          guard(db, "not_applicable", exists(compiling)),
          guard(db, "etag_mismatch", exists(expected)),
          db.update(versions).set(outcome).where(eq(versions.id, id)),
          db
            .update(apps)
            .set({ documentRevision: documentRevision + 1 })
            .where(ofVersion),
        ]);
        return true;
      } catch (error) {
        if (error instanceof GuardError) return false;
        throw error;
      }
    },
    async trim(appId, upTo, always, limit) {
      const oldest = db
        .select({ id: versions.id })
        .from(versions)
        .where(
          and(
            eq(versions.appId, appId),
            lte(versions.number, upTo),
            notInArray(versions.state, ["compiling", "active"]),
            always.length === 0 ? undefined : notInArray(versions.number, [...always]),
          ),
        )
        .orderBy(asc(versions.number))
        .limit(limit);
      const deleted = db.delete(versions).where(inArray(versions.id, oldest));
      return affectedBy(await translated(() => deleted));
    },
    async failStale(beforeMs, failureJson, nowMs) {
      const failed = db
        .update(versions)
        .set({ state: "failed", failureJson, compiledMs: nowMs })
        // Written out, since a bound value would hide the partial index.
        .where(and(sql`state = 'compiling'`, lt(versions.createdMs, beforeMs)));
      return affectedBy(await translated(() => failed));
    },
  };
}

async function createVersion(
  db: Database,
  version: VersionRow,
  commit: Parameters<VersionStore["create"]>[1],
): Promise<VersionRow> {
  const { appId } = version;
  const next = sql<number>`(SELECT latest_version + 1 FROM apps WHERE id = ${appId})`;
  const latest = sql<number>`(SELECT latest_version FROM apps WHERE id = ${appId})`;
  const [inserted] = await runCommit(db, commit, [
    db
      .insert(versions)
      .values({ ...version, number: next })
      .returning({ number: versions.number }),
    db
      .update(apps)
      .set({ latestVersion: sql`${apps.latestVersion} + 1` })
      .where(eq(apps.id, appId)),
    db.update(drafts).set({ lastVersion: latest }).where(eq(drafts.appId, appId)),
  ]);
  const [row] = inserted as { number: number }[];
  assert(row !== undefined, "an insert answers its row");
  return { ...version, number: row.number };
}
