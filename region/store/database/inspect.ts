/**
 * Looks at a database file before anything opens it for writing, through Node's own SQLite in
 * read-only mode: a damaged or newer file is refused with not one byte of it changed.
 */
import { open, stat } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { IgniteError } from "../../../core/errors.ts";

/** The table that remembers the steps. It is not part of the schema that drizzle knows. */
export const migrationsTable = "ignite_migrations";

const MAGIC = "SQLite format 3\0";

/**
 * The migrations that a file has; none for a file that is absent or empty. Fails with
 * STORE_CORRUPT when it is not a database or does not pass SQLite's quick check.
 */
export async function inspectDatabase(path: string): Promise<{ name: string; sha256: string }[]> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined || found.size === 0) return [];
  await checkHeader(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    const verdict = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
    if (verdict !== "ok") throw damaged(String(verdict));
    const table = database
      .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
      .get(migrationsTable);
    if (table === undefined) return [];
    const rows = database.prepare(`SELECT name, sha256 FROM ${migrationsTable}`).all();
    return rows.map((row) => ({ name: String(row["name"]), sha256: String(row["sha256"]) }));
  } catch (error) {
    throw error instanceof IgniteError ? error : damaged((error as Error).message, error);
  } finally {
    database?.close();
  }
}

/** What is said of a file that cannot be trusted. */
export function damaged(what: string, cause?: unknown): IgniteError {
  return new IgniteError({
    code: "data_loss",
    reason: "STORE_CORRUPT",
    message: `The database cannot be used: ${what}. Nothing in it was changed.`,
    hint: "Restore a backup, or move the file away to begin with an empty one.",
    cause,
  });
}

async function checkHeader(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    const header = Buffer.alloc(MAGIC.length);
    await file.read(header, 0, header.length, 0);
    if (header.toString("latin1") !== MAGIC) throw damaged("it is not a libSQL file");
  } finally {
    await file.close();
  }
}
