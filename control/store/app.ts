import { and, asc, count, eq, exists, gt, inArray, isNull, lt, sql } from "drizzle-orm";
import type { AppId } from "../../core/ids.ts";
import { appDomains, apps, drafts, executionLogs, executions, versions } from "../db/schema.ts";
import type { AppChange, AppRow, AppStore } from "../ports.ts";
import { runCommit } from "./commit.ts";
import {
  type Database,
  GuardError,
  guard,
  type Statement,
  translated,
  withoutNulls,
} from "./database.ts";
import { pageOf } from "./page.ts";

/** Apps and drafts in libSQL. */
export function appStore(db: Database): AppStore {
  return {
    async find(query) {
      const condition =
        "id" in query
          ? eq(apps.id, query.id)
          : and(eq(apps.org, query.org), eq(apps.name, query.name));
      const [row] = await translated(() => db.select().from(apps).where(condition));
      return row && withoutNulls(row);
    },
    async idsOf(fullNames) {
      const names = JSON.stringify(fullNames.map((fullName) => fullName.split("/")));
      // From the names to the rows: each is one look into the index of names.
      const found = db.all<{ fullName: string; id: AppId }>(
        sql`SELECT apps.org || '/' || apps.name AS fullName, apps.id AS id
            FROM json_each(${names}) AS wanted
            JOIN apps ON apps.org = wanted.value ->> 0 AND apps.name = wanted.value ->> 1`,
      );
      const rows = await translated(() => found);
      return new Map(rows.map(({ fullName, id }) => [fullName, id]));
    },
    async list({ org, includeDeleted, names }, page) {
      const found = db
        .select()
        .from(apps)
        .where(
          and(
            eq(apps.org, org),
            gt(apps.name, page.cursor ?? ""),
            includeDeleted ? undefined : isNull(apps.deletedMs),
            names.length === 0 ? undefined : inArray(apps.name, [...names]),
          ),
        )
        .orderBy(asc(apps.name))
        .limit(page.limit + 1);
      const rows = (await translated(() => found)).map(withoutNulls);
      return pageOf(rows, page, ({ name }) => name);
    },
    async count(org) {
      const counted = db
        .select({ all: count(), deleted: count(apps.deletedMs) })
        .from(apps)
        .where(eq(apps.org, org));
      const { all = 0, deleted = 0 } = (await translated(() => counted))[0] ?? {};
      return { live: all - deleted, deleted };
    },
    async create(app, draft, commit) {
      await runCommit(db, commit, [
        db.insert(apps).values(app),
        db.insert(drafts).values(draft),
        ...claimDomains(db, app),
      ]);
    },
    async change(change, commit) {
      await runCommit(db, commit, changeStatements(db, change));
    },
    async listDeleted(beforeMs, limit) {
      const found = db
        .select()
        .from(apps)
        .where(lt(apps.deletedMs, beforeMs))
        .orderBy(asc(apps.deletedMs))
        .limit(limit);
      return (await translated(() => found)).map(withoutNulls);
    },
    async purge(id, commit) {
      const deleted = db
        .select({ one: sql`1` })
        .from(apps)
        .where(and(eq(apps.id, id), sql`${apps.deletedMs} IS NOT NULL`));
      const statements = [
        guard(db, "not_applicable", exists(deleted)),
        db.delete(executions).where(eq(executions.appId, id)),
        db.delete(executionLogs).where(eq(executionLogs.appId, id)),
        db.delete(apps).where(eq(apps.id, id)), // Draft, versions and domains go with it
      ];
      await runCommit(db, commit, statements).catch((error: unknown) => {
        if (!(error instanceof GuardError)) throw error;
      });
    },
    async getDraft(appId) {
      const [row] = await translated(() => db.select().from(drafts).where(eq(drafts.appId, appId)));
      return row && withoutNulls(row);
    },
    async changeDraft(draft, commit) {
      const { appId, revision } = draft;
      const expected = db
        .select({ one: sql`1` })
        .from(drafts)
        .where(and(eq(drafts.appId, appId), eq(drafts.revision, revision - 1)));
      await runCommit(db, commit, [
        guard(db, "etag_mismatch", exists(expected)),
        db
          .update(drafts)
          .set({
            ...draft,
            codeJson: draft.codeJson ?? null,
            sourceDigest: draft.sourceDigest ?? null,
          })
          .where(eq(drafts.appId, appId)),
      ]);
    },
  };
}

function changeStatements(db: Database, { app, expected, versions: changed }: AppChange) {
  const stored = db
    .select({ one: sql`1` })
    .from(apps)
    .where(
      and(
        eq(apps.id, app.id),
        eq(apps.revision, expected.revision),
        eq(apps.documentRevision, expected.documentRevision),
      ),
    );
  const optional = {
    accessJson: app.accessJson ?? null,
    previousVersion: app.previousVersion ?? null,
    deletedMs: app.deletedMs ?? null,
  };
  return [
    guard(db, "etag_mismatch", exists(stored)),
    db
      .update(apps)
      .set({ ...app, ...optional })
      .where(eq(apps.id, app.id)),
    db.delete(appDomains).where(eq(appDomains.appId, app.id)),
    ...claimDomains(db, app),
    ...changed.map(({ number, ...values }) =>
      db
        .update(versions)
        .set(withoutUndefined(values))
        .where(and(eq(versions.appId, app.id), eq(versions.number, number))),
    ),
  ];
}

function claimDomains(db: Database, app: AppRow): Statement[] {
  if (app.deletedMs !== undefined || app.domains.length === 0) return [];
  const rows = app.domains.map((domain) => ({ domain, appId: app.id }));
  return [db.insert(appDomains).values(rows)];
}

function withoutUndefined<Values extends object>(values: Values): Values {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Values;
}
