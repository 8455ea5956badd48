import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@libsql/client/web";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { startTemporaryStore, type TemporaryStore } from "../temporary-store.ts";

let running: TemporaryStore;
let client: Client;

beforeAll(async () => {
  const migrations = await mkdtemp(join(tmpdir(), "ignite-no-migrations-"));
  running = await startTemporaryStore({ migrations, streamIdleMs: 500, busyTimeoutMs: 150 });
  client = createClient({ url: "http://store", authToken: "secret", fetch: running.clientFetch });
  await client.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, raw BLOB)");
});
beforeEach(() => client.execute("DELETE FROM item"));
afterAll(async () => {
  await running.close();
  await rm(running.options.migrations, { recursive: true });
});

async function pipeline(body: unknown, version = "v3") {
  const response = await running.fetch(`/${version}/pipeline`, {
    method: "POST",
    body: JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: what is in it is what the tests look at
  return { status: response.status, body: (await response.json()) as any };
}

const execute = (sql: string) => ({ type: "execute", stmt: { sql } });

test("HranaServer keeps every type of value", async () => {
  const big = 2n ** 62n;
  const raw = Uint8Array.of(0, 1, 255);
  await client.execute("INSERT INTO item VALUES (?, ?, ?)", [big, "näme", raw]);
  const { rows } = await createClient({
    url: "http://store",
    authToken: "secret",
    fetch: running.clientFetch,
    intMode: "bigint",
  }).execute("SELECT id, name, raw, 1.5 AS real, NULL AS none FROM item");
  const [row] = rows;
  expect(row?.["id"]).toBe(big);
  expect(row?.["name"]).toBe("näme");
  expect(new Uint8Array(row?.["raw"] as ArrayBuffer)).toEqual(raw);
  expect([row?.["real"], row?.["none"]]).toEqual([1.5, null]);
});

test("HranaServer tells rows affected and the last rowid, with and without RETURNING", async () => {
  const plain = await client.execute("INSERT INTO item (name) VALUES ('a'), ('b')");
  expect([plain.rowsAffected, plain.lastInsertRowid]).toEqual([2, 2n]);
  const returning = await client.execute("INSERT INTO item (name) VALUES ('c') RETURNING id");
  expect([returning.rowsAffected, returning.rows[0]?.["id"]]).toEqual([1, 3]);
  expect((await client.execute("SELECT * FROM item")).rowsAffected).toBe(0);
});

test("HranaServer binds named and numbered arguments", async () => {
  const { rows } = await client.execute({
    sql: "SELECT :a AS a, @b AS b, $c AS c, :a AS again, ':x' AS text -- :y",
    args: { a: 1, b: "two", c: null },
  });
  expect({ ...rows[0] }).toEqual({ a: 1, b: "two", c: null, again: 1, text: ":x" });
  const numbered = await client.execute({ sql: "SELECT ?2 AS b, ?1 AS a", args: ["a", "b"] });
  expect({ ...numbered.rows[0] }).toEqual({ a: "a", b: "b" });
});

test("HranaServer answers SQLite's error codes", async () => {
  await client.execute("INSERT INTO item (name) VALUES ('a')");
  const failures = [
    ["INSERT INTO item (name) VALUES ('a')", "SQLITE_CONSTRAINT"],
    ["INSERT INTO item (name) VALUES ('a') RETURNING id", "SQLITE_CONSTRAINT"],
    ["SELEC 1", "SQLITE_ERROR"],
    ["SELECT * FROM nowhere", "SQLITE_ERROR"],
    ["ATTACH '/tmp/other.db' AS other", "SQLITE_AUTH"],
    ["/* a */ attach '/tmp/other.db' AS other", "SQLITE_AUTH"],
    ["VACUUM INTO '/tmp/copy.db'", "SQLITE_AUTH"],
    ["SELECT 1; SELECT 2", "SQL_MANY_STATEMENTS"],
    [" -- nothing", "SQL_NO_STATEMENT"],
  ] as const;
  for (const [sql, code] of failures) {
    await expect(client.execute(sql), sql).rejects.toMatchObject({ code });
  }
  await expect(
    client.execute("INSERT INTO item (name) VALUES (?)", ["a\0b"]),
  ).rejects.toMatchObject({ code: "ARGS_INVALID" });
  await expect(client.executeMultiple("SELECT 1; ATTACH 'x' AS y")).rejects.toMatchObject({
    code: "SQLITE_AUTH",
  });
});

test("HranaServer undoes a batch of which one statement fails", async () => {
  const batch = client.batch(
    ["INSERT INTO item (name) VALUES ('a')", "INSERT INTO item (name) VALUES ('a')"],
    "write",
  );
  await expect(batch).rejects.toMatchObject({ code: "SQLITE_CONSTRAINT" });
  expect((await client.execute("SELECT * FROM item")).rows).toHaveLength(0);
});

test("HranaServer runs a script, triggers and all", async () => {
  await client.executeMultiple(`
    CREATE TABLE log (entry TEXT); -- one; two
    CREATE TRIGGER noted AFTER INSERT ON item BEGIN
      INSERT INTO log VALUES (CASE WHEN new.name = ';' THEN 'semicolon' ELSE new.name END);
    END;
    INSERT INTO item (name) VALUES (';');
  `);
  expect((await client.execute("SELECT entry FROM log")).rows[0]?.["entry"]).toBe("semicolon");
  await client.executeMultiple("DROP TRIGGER noted; DROP TABLE log");
});

test("HranaServer keeps a transaction apart until it commits", async () => {
  const transaction = await client.transaction("write");
  await transaction.execute("INSERT INTO item (name) VALUES ('a')");
  expect((await client.execute("SELECT * FROM item")).rows).toHaveLength(0);
  const [row] = (await transaction.execute("SELECT name FROM item")).rows;
  expect(row?.["name"]).toBe("a");
  await transaction.commit();
  expect((await client.execute("SELECT * FROM item")).rows).toHaveLength(1);
});

test("HranaServer lets writers wait for a transaction, and no longer than the timeout", async () => {
  const transaction = await client.transaction("write");
  await transaction.execute("INSERT INTO item (name) VALUES ('a')");
  const waiting = client.execute("INSERT INTO item (name) VALUES ('b')");
  await transaction.commit();
  await waiting;
  const second = await client.transaction("write");
  await second.execute("INSERT INTO item (name) VALUES ('c')");
  const late = client.execute("INSERT INTO item (name) VALUES ('d')");
  await expect(late).rejects.toMatchObject({ code: "SQLITE_BUSY" });
  await second.rollback();
  const names = await client.execute("SELECT name FROM item ORDER BY name");
  expect(names.rows.map((row) => row["name"])).toEqual(["a", "b"]);
});

test("HranaServer rolls back a stream that nobody asks for", async () => {
  const begun = await pipeline({
    requests: [execute("BEGIN IMMEDIATE"), execute("INSERT INTO item (name) VALUES ('a')")],
  });
  expect(begun.body.baton).toEqual(expect.any(String));
  await vi.waitFor(() => client.execute("INSERT INTO item (name) VALUES ('b')"), 15_000);
  expect((await client.execute("SELECT * FROM item")).rows).toHaveLength(1);
  const expired = await pipeline({ baton: begun.body.baton, requests: [execute("COMMIT")] });
  expect([expired.status, expired.body.code]).toEqual([400, "STREAM_EXPIRED"]);
});

test("HranaServer takes each baton once", async () => {
  const first = await pipeline({ requests: [{ type: "get_autocommit" }] });
  expect(first.body.results[0].response.is_autocommit).toBe(true);
  const { baton } = first.body;
  const second = await pipeline({ baton, requests: [{ type: "close" }] });
  expect(second.body.baton).toBeNull();
  expect((await pipeline({ baton, requests: [] })).body.code).toBe("STREAM_EXPIRED");
});

test("HranaServer stores SQL texts and describes statements", async () => {
  const { body } = await pipeline(
    {
      requests: [
        { type: "store_sql", sql_id: 7, sql: "SELECT name FROM item WHERE id = ? AND name = :n" },
        { type: "describe", sql_id: 7 },
        { type: "close_sql", sql_id: 7 },
        { type: "describe", sql_id: 7 },
        { type: "close" },
      ],
    },
    "v2",
  );
  expect(body.results[1].response.result).toEqual({
    params: [{ name: null }, { name: ":n" }],
    cols: [{ name: "name", decltype: "TEXT" }],
    is_explain: false,
    is_readonly: true,
  });
  expect(body.results[3].error.code).toBe("SQL_NOT_FOUND");
});

test("HranaServer runs steps of a batch by their conditions", async () => {
  const step = (sql: string, condition?: unknown) => ({ stmt: { sql }, condition });
  const { body } = await pipeline({
    requests: [
      {
        type: "batch",
        batch: {
          steps: [
            step("SELECT 1"),
            step("SELEC"),
            step("SELECT 2", { type: "error", step: 1 }),
            step("SELECT 3", { type: "not", cond: { type: "ok", step: 0 } }),
            step("SELECT 4", {
              type: "and",
              conds: [{ type: "is_autocommit" }, { type: "ok", step: 2 }],
            }),
          ],
        },
      },
      { type: "close" },
    ],
  });
  const { step_results, step_errors } = body.results[0].response.result;
  expect(step_results.map((it: unknown) => it !== null)).toEqual([true, false, true, false, true]);
  expect(step_errors[1].code).toBe("SQLITE_ERROR");
});

test("HranaServer streams a cursor", async () => {
  const response = await running.fetch("/v3/cursor", {
    method: "POST",
    body: JSON.stringify({
      batch: {
        steps: [
          { stmt: { sql: "INSERT INTO item (name) VALUES ('a'), ('b')" } },
          { stmt: { sql: "SELECT name FROM item ORDER BY id" } },
          { stmt: { sql: "SELEC" } },
        ],
      },
    }),
  });
  const lines = (await response.text())
    .trim()
    .split("\n")
    .map((it) => JSON.parse(it));
  expect(lines[0].baton).toEqual(expect.any(String));
  expect(lines.slice(1).map((it) => it.type)).toEqual([
    "step_begin",
    "step_end",
    "step_begin",
    "row",
    "row",
    "step_end",
    "step_error",
  ]);
  const closing = await pipeline({ baton: lines[0].baton, requests: [{ type: "close" }] });
  expect(closing.status).toBe(200);
});

test("HranaServer stops a cursor whose reader leaves, and goes on", async () => {
  const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
  const gone = new AbortController();
  const response = await running.fetch("/v3/cursor", {
    method: "POST",
    body: JSON.stringify({ batch: { steps: [{ stmt: { sql: endless } }] } }),
    signal: gone.signal,
  });
  await response.body?.getReader().read();
  gone.abort();
  await client.execute("INSERT INTO item (name) VALUES ('a')");
});

test("HranaServer bounds what one request answers", async () => {
  const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
  await expect(client.execute(endless)).rejects.toMatchObject({ code: "RESPONSE_TOO_LARGE" });
  await client.execute("INSERT INTO item (name) VALUES ('a')");
});

test("HranaServer commits what is written after a write was explained", async () => {
  for (let round = 0; round < 10; round += 1) {
    await client.execute("EXPLAIN INSERT INTO item (name) VALUES ('x')");
    await client.execute({ sql: "INSERT INTO item (name) VALUES (?)", args: [`n${round}`] });
    await client.batch([{ sql: "INSERT INTO item (name) VALUES (?)", args: [`m${round}`] }]);
  }
  expect((await client.execute("SELECT * FROM item")).rows).toHaveLength(20);
});

test("HranaServer keeps a transaction of which one statement fails", async () => {
  const transaction = await client.transaction("write");
  await transaction.execute("INSERT INTO item (name) VALUES ('a') RETURNING id");
  const twice = transaction.execute("INSERT INTO item (name) VALUES ('a') RETURNING id");
  await expect(twice).rejects.toMatchObject({ code: "SQLITE_CONSTRAINT" });
  await transaction.execute("INSERT INTO item (name) VALUES ('b')");
  await transaction.commit();
  expect((await client.execute("SELECT * FROM item")).rows).toHaveLength(2);
});

test("HranaServer refuses what is malformed", async () => {
  for (const body of [
    null,
    {},
    { requests: [{}] },
    { requests: [{ type: "execute" }] },
    { requests: [{ type: "execute", stmt: { sql: "SELECT ?", args: [{ type: "boolean" }] } }] },
    { requests: [{ type: "jump" }] },
  ]) {
    const answer = await pipeline(body);
    expect([answer.status, answer.body.code]).toEqual([400, "HRANA_PROTO_ERROR"]);
  }
  const unauthorized = await running.clientFetch(new Request("http://store/v2"));
  expect(unauthorized.status).toBe(401);
});
