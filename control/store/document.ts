import { and, asc, eq, gt } from "drizzle-orm";
import { documents } from "../db/schema.ts";
import type { DocumentStore } from "../ports.ts";
import { type Database, translated } from "./database.ts";

/** Signed documents in libSQL. */
export function documentStore(db: Database): DocumentStore {
  return {
    async list(after, limit) {
      const found = db
        .select()
        .from(documents)
        .where(gt(documents.sequence, after))
        .orderBy(asc(documents.sequence))
        .limit(limit);
      return translated(() => found);
    },
    async find(kind, key) {
      const found = db
        .select()
        .from(documents)
        .where(and(eq(documents.kind, kind), eq(documents.key, key)));
      return (await translated(() => found))[0];
    },
  };
}
