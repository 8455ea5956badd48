/** Writes a change together with its audit row, idempotency record and document. */
import { and, eq, gt, not, exists, max, sql } from "drizzle-orm";
import type { SignedDocument } from "../../core/deployment.ts";
import { audit, documents, idempotency } from "../db/schema.ts";
import type { Commit, IdempotencyRow } from "../ports.ts";
import {
  type Database,
  GuardError,
  guard,
  runBatch,
  type Statement,
  translated,
} from "./database.ts";
import { storeUnavailable } from "./failures.ts";

const ATTEMPTS_MAX = 20; // Each is lost to a commit that succeeded meanwhile

/**
 * Runs `statements` and everything that `commit` carries in one transaction. Answers the results
 * of `statements`. The document is signed before, for the sequence that is next; when another
 * commit takes that, the document is asked for again.
 */
export async function runCommit(
  db: Database,
  commit: Commit,
  statements: readonly Statement[],
): Promise<readonly unknown[]> {
  const { document: sign } = commit;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const document = sign && (await sign(await nextSequence(db)));
    const before = [...sequenceGuard(db, document), ...idempotencyGuard(db, commit)];
    const after = carriedBy(db, commit, document);
    try {
      const results = await runBatch(db, [...before, ...statements, ...after]);
      return results.slice(before.length, before.length + statements.length);
    } catch (error) {
      if (!(error instanceof GuardError) || error.guard !== "sequence_taken") throw error;
    }
  }
  throw storeUnavailable(new Error("the document sequence was always taken"));
}

async function nextSequence(db: Database): Promise<number> {
  const newest = db.select({ sequence: max(documents.sequence) }).from(documents);
  const [row] = await translated(() => newest);
  return (row?.sequence ?? 0) + 1;
}

function sequenceGuard(db: Database, document: SignedDocument | undefined): Statement[] {
  if (document === undefined) return [];
  const newest = sql`SELECT coalesce(max(sequence), 0) FROM ${documents}`;
  return [guard(db, "sequence_taken", sql`(${newest}) = ${document.sequence - 1}`)];
}

function idempotencyGuard(db: Database, commit: Commit): Statement[] {
  const row = commit.idempotency;
  if (row === undefined) return [];
  const live = db
    .select({ one: sql`1` })
    .from(idempotency)
    .where(and(sameKey(row), gt(idempotency.expiresMs, commit.audit.timeMs)));
  return [guard(db, "idempotency_conflict", not(exists(live)))];
}

function carriedBy(
  db: Database,
  commit: Commit,
  document: SignedDocument | undefined,
): Statement[] {
  const statements: Statement[] = [db.insert(audit).values(commit.audit)];
  if (commit.idempotency !== undefined) {
    // What is there has expired: the guard saw to that.
    statements.push(db.delete(idempotency).where(sameKey(commit.idempotency)));
    statements.push(db.insert(idempotency).values(commit.idempotency));
  }
  if (document !== undefined) {
    const { sequence, body, signature } = document;
    statements.push(
      db
        .insert(documents)
        .values(document)
        .onConflictDoUpdate({
          target: [documents.kind, documents.key],
          set: { sequence, body, signature },
        }),
    );
  }
  return statements;
}

function sameKey({ org, actor, key }: IdempotencyRow) {
  return and(eq(idempotency.org, org), eq(idempotency.actor, actor), eq(idempotency.key, key));
}
