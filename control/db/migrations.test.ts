import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { generateSQLiteDrizzleJson, generateSQLiteMigration } from "drizzle-kit/api";
import { expect, test } from "vitest";
import { silentLog } from "../../core/log.ts";
import { migrationsTable } from "../../region/store/database/inspect.ts";
import { type Migration, migrate, readMigrations } from "../../region/store/database/migrate.ts";
import * as schema from "./schema.ts";

const folder = join(import.meta.dirname, "migrations");

test("the newest snapshot of the migrations is schema.ts", async () => {
  const names = (await readdir(join(folder, "meta"))).filter((name) => /^\d+_snapshot/.test(name));
  const newest = join(folder, "meta", names.toSorted().at(-1) ?? "");
  const snapshot = JSON.parse(await readFile(newest, "utf8"));
  const current = await generateSQLiteDrizzleJson(schema, snapshot.id);
  const hint = "run: npx drizzle-kit generate --config control/drizzle.config.ts --name <what>";
  expect(await generateSQLiteMigration(snapshot, current), hint).toEqual([]);
});

test("the migrations lead from nothing to schema.ts, and may run again", async () => {
  const empty = await generateSQLiteDrizzleJson({});
  const current = await generateSQLiteDrizzleJson(schema, empty.id);
  const wanted = new DatabaseSync(":memory:");
  for (const statement of await generateSQLiteMigration(empty, current)) wanted.exec(statement);

  const root = await mkdtemp(join(tmpdir(), "ignite-migrations-"));
  const path = join(root, "state.db");
  const steps: Migration[] = await readMigrations(folder);
  migrate(path, steps, silentLog);
  migrate(path, steps, silentLog);
  const found = new DatabaseSync(path, { readOnly: true });
  expect(shapeOf(found)).toEqual(shapeOf(wanted));
  const applied = found.prepare(`SELECT name FROM ${migrationsTable} ORDER BY name`).all();
  expect(applied.map((row) => row["name"])).toEqual(steps.map(({ name }) => name));
  found.close();
  await rm(root, { recursive: true });
});

test("migrations are numbered from 0000 without holes and named by what they do", async () => {
  const steps = await readMigrations(folder);
  for (const [index, { name }] of steps.entries()) {
    expect(name).toMatch(new RegExp(`^${String(index).padStart(4, "0")}_[a-z][a-z0-9_]+$`));
  }
});

/** Everything about the tables that matters, whatever statements made them. */
function shapeOf(database: DatabaseSync): unknown {
  const all = (sql: string) => database.prepare(sql).all() as Record<string, unknown>[];
  const tables = all(
    `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
     AND name <> '${migrationsTable}' ORDER BY name`,
  );
  return tables.map(({ name }) => ({
    name,
    columns: all(`PRAGMA table_xinfo(${name})`),
    keys: all(`PRAGMA foreign_key_list(${name})`),
    indices: all(`PRAGMA index_list(${name})`).map((index) => ({
      ...index,
      columns: all(`PRAGMA index_xinfo(${index["name"]})`),
    })),
  }));
}
