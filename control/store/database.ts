/**
 * The connection to libSQL, and how its errors become ours. A transaction is one batch, which is
 * one round trip: statements cannot branch, so conditions are guards (see schema.ts) that break
 * the batch, all of it undone.
 */
import { createClient } from "@libsql/client/web";
import { type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { LibSQLDatabase } from "drizzle-orm/libsql";
import { drizzle } from "drizzle-orm/libsql/web";
import { guards } from "../db/schema.ts";
import {
  appExists,
  domainTaken,
  etagMismatch,
  idempotencyConflict,
  organizationExists,
  storeCorrupt,
  storeFull,
  storeUnavailable,
} from "./failures.ts";

/** Where the database is. */
export interface DatabaseOptions {
  /** Such as `http://store` or `libsql://name.example`. */
  url: string;
  authToken: string;
  /** Sends the requests; the platform's own when absent. */
  fetch?: (request: Request) => Promise<Response>;
}

/** The database as repositories use it. */
export type Database = LibSQLDatabase<Record<string, never>>;

/** A statement of a batch. */
export type Statement = BatchItem<"sqlite">;

/** Which condition of a batch does not hold; the name of a constraint of the table `guards`. */
export type GuardName =
  | "etag_mismatch" // A row has another revision
  | "idempotency_conflict" // The idempotency key has a live answer
  | "not_applicable" // The change has nothing to do
  | "sequence_taken"; // Another document took the sequence

/** A guard broke a batch that only its caller can explain. */
export class GuardError extends Error {
  readonly guard: GuardName;
  constructor(guard: GuardName) {
    super(`the guard ${guard} broke the batch`);
    this.name = "GuardError";
    this.guard = guard;
  }
}

/** Opens the database. Nothing is sent yet. */
export function openDatabase({ url, authToken, fetch }: DatabaseOptions): Database {
  const client = createClient({
    url,
    authToken,
    ...(fetch && { fetch }),
    // Queued calls would run within another request of the Worker, which workerd forbids.
    concurrency: Number.MAX_SAFE_INTEGER,
  });
  return drizzle({ client });
}

/** A statement that breaks its batch unless `condition` holds. */
export function guard(db: Database, name: GuardName, condition: SQL): Statement {
  return db.run(sql`INSERT INTO ${guards} SELECT ${name} WHERE NOT (${condition})`);
}

/** Runs statements in one transaction. Answers the result of each. */
export async function runBatch(
  db: Database,
  statements: readonly Statement[],
): Promise<readonly unknown[]> {
  if (statements.length === 0) return [];
  return translated(() => db.batch(statements as [Statement, ...Statement[]]));
}

/** Runs something on the database; its errors become ours. */
export async function translated<Value>(action: () => PromiseLike<Value>): Promise<Value> {
  try {
    return await action();
  } catch (error) {
    throw translate(error);
  }
}

/** How many rows a statement of {@link runBatch} changed. */
export function affectedBy(result: unknown): number {
  return (result as { rowsAffected: number }).rowsAffected;
}

/** A row without its NULLs, which are absent in ours. */
export function withoutNulls<Row extends object>(row: Row): WithoutNulls<Row> {
  const present = Object.entries(row).filter(([, value]) => value !== null);
  return Object.fromEntries(present) as WithoutNulls<Row>;
}

type NullKeys<Row> = { [Key in keyof Row]: null extends Row[Key] ? Key : never }[keyof Row];
type WithoutNulls<Row> = Omit<Row, NullKeys<Row>> & {
  [Key in NullKeys<Row>]?: NonNullable<Row[Key]> | undefined;
};

const UNIQUE_FAILURES: readonly (readonly [string, () => Error])[] = [
  ["organizations.name", organizationExists],
  ["apps.org, apps.name", appExists],
  ["app_domains.domain", domainTaken],
  ["documents.sequence", () => new GuardError("sequence_taken")],
];

function translate(error: unknown): Error {
  const found = libsqlErrorOf(error);
  if (found === undefined) return storeUnavailable(error); // fetch() itself failed
  const { code, message } = found;
  if (code === "SQLITE_CONSTRAINT") return constraintFailure(message) ?? found;
  if (code === "SQLITE_FULL") return storeFull(found);
  if (code === "SQLITE_CORRUPT" || code === "SQLITE_NOTADB") return storeCorrupt(found);
  // Wrong SQL or arguments are mistakes of ours; anything else is the database not answering.
  return /^(SQLITE_ERROR|SQLITE_MISMATCH|SQLITE_RANGE|ARGS_INVALID|SQL_)/.test(code)
    ? found
    : storeUnavailable(found);
}

function constraintFailure(message: string): Error | undefined {
  const guardName = /CHECK constraint failed: (\w+)/.exec(message)?.[1];
  switch (guardName) {
    case "etag_mismatch":
      return etagMismatch();
    case "idempotency_conflict":
      return idempotencyConflict();
    case "not_applicable":
    case "sequence_taken":
      return new GuardError(guardName);
  }
  const columns = /UNIQUE constraint failed: ([\w., ]+)/.exec(message)?.[1]?.trim();
  return UNIQUE_FAILURES.find(([name]) => name === columns)?.[1]();
}

function libsqlErrorOf(error: unknown): (Error & { code: string }) | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string" && at.name.startsWith("Libsql")) {
      return at as Error & { code: string };
    }
  }
  return undefined;
}
