import { and, asc, eq, exists, gt, not, sql } from "drizzle-orm";
import { apiKeys, organizations } from "../db/schema.ts";
import type { KeyRow, OrganizationRow, OrganizationStore } from "../ports.ts";
import { runCommit } from "./commit.ts";
import { type Database, GuardError, guard, type Statement, translated } from "./database.ts";
import { pageOf } from "./page.ts";

/** Organizations in libSQL. */
export function organizationStore(db: Database): OrganizationStore {
  const inserts = (organization: OrganizationRow, owner: KeyRow): Statement[] => [
    db.insert(organizations).values(organization),
    db.insert(apiKeys).values(owner),
  ];
  return {
    async find(name) {
      const found = db.select().from(organizations).where(eq(organizations.name, name));
      return (await translated(() => found))[0];
    },
    async list(page) {
      const found = db
        .select()
        .from(organizations)
        .where(gt(organizations.name, page.cursor ?? ""))
        .orderBy(asc(organizations.name))
        .limit(page.limit + 1);
      return pageOf(await translated(() => found), page, ({ name }) => name);
    },
    async create(organization, owner, commit) {
      await runCommit(db, commit, inserts(organization, owner));
    },
    async createFirst(organization, owner, commit) {
      const any = db.select({ one: sql`1` }).from(organizations);
      const isFirst = guard(db, "not_applicable", not(exists(any)));
      try {
        await runCommit(db, commit, [isFirst, ...inserts(organization, owner)]);
        return true;
      } catch (error) {
        if (error instanceof GuardError) return false;
        throw error;
      }
    },
    async update(organization, commit) {
      const { name, revision } = organization;
      await runCommit(db, commit, [
        expectRevision(db, name, revision - 1),
        db.update(organizations).set(organization).where(eq(organizations.name, name)),
      ]);
    },
  };
}

/** Breaks a batch unless the organization has this revision. */
export function expectRevision(db: Database, org: string, revision: number): Statement {
  const found = db
    .select({ one: sql`1` })
    .from(organizations)
    .where(and(eq(organizations.name, org), eq(organizations.revision, revision)));
  return guard(db, "etag_mismatch", exists(found));
}
