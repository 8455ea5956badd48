/**
 * Brings the database file to the newest schema. A step is one SQL file, run once, whole or not
 * at all, and remembered with its digest.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "libsql";
import { IgniteError } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import { damaged, migrationsTable } from "./inspect.ts";

/** One step: `0001_initial` and its SQL. */
export interface Migration {
  name: string;
  sql: string;
  sha256: string;
}

const BREAKPOINT = "--> statement-breakpoint"; // drizzle-kit's mark between statements

/** Reads the steps of a folder, in their order. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_\w+\.sql$/.test(name));
  return Promise.all(
    names.toSorted().map(async (file) => {
      const sql = await readFile(join(folder, file), "utf8");
      const sha256 = createHash("sha256").update(sql).digest("hex");
      return { name: file.slice(0, -".sql".length), sql, sha256 };
    }),
  );
}

/**
 * Runs the steps that the file does not have yet, each in a transaction that keeps other programs
 * out. The file was inspected before (see inspect.ts). Fails with SCHEMA_NEWER when it has steps
 * that are not in `migrations`, and with STORE_CORRUPT when one of its steps was a different one.
 */
export function migrate(path: string, migrations: readonly Migration[], log: Log): void {
  const database = new Database(path);
  try {
    database.pragma("busy_timeout = 5000");
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = FULL");
    database.exec(
      `CREATE TABLE IF NOT EXISTS ${migrationsTable} ` +
        "(name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_ms INTEGER NOT NULL) STRICT",
    );
    for (const migration of migrations) {
      if (apply(database, migration)) log.info("migrated the database", { step: migration.name });
    }
  } finally {
    database.close();
  }
}

/** Checks what a file has against what this release knows. */
export function checkApplied(
  applied: readonly { name: string; sha256: string }[],
  migrations: readonly Migration[],
): void {
  const known = new Map(migrations.map(({ name, sha256 }) => [name, sha256]));
  for (const { name, sha256 } of applied) {
    const expected = known.get(name);
    if (expected === undefined) {
      throw new IgniteError({
        code: "failed_precondition",
        reason: "SCHEMA_NEWER",
        message: `The database was written by a newer Ignite: it has the step "${name}".`,
        hint: "Start that release again, or restore a backup made by this one.",
      });
    }
    if (expected !== sha256) {
      throw damaged(`its step "${name}" is not the one that this release has`);
    }
  }
}

function apply(database: Database.Database, migration: Migration): boolean {
  database.exec("BEGIN EXCLUSIVE");
  try {
    const found = database
      .prepare(`SELECT 1 FROM ${migrationsTable} WHERE name = ?`)
      .all(migration.name);
    if (found.length === 0) {
      for (const statement of migration.sql.split(BREAKPOINT)) database.exec(statement);
      database
        .prepare(`INSERT INTO ${migrationsTable} (name, sha256, applied_ms) VALUES (?, ?, ?)`)
        .run(migration.name, migration.sha256, BigInt(Date.now()));
    }
    database.exec("COMMIT");
    return found.length === 0;
  } catch (error) {
    if (database.inTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
