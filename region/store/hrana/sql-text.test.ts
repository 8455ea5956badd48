import { constants, DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { expect, test } from "vitest";
import { kindOf, parametersOf, splitStatements } from "./sql-text.ts";

test("splitStatements() cuts at semicolons that end a statement, and nowhere else", () => {
  expect(splitStatements("SELECT 1; SELECT ';'; -- ; no\n /* ; */ SELECT \"a;\";;")).toHaveLength(
    3,
  );
  expect(splitStatements(" ; -- nothing\n")).toEqual([]);
  expect(splitStatements("SELECT 'it''s; one")).toHaveLength(1);
  const trigger =
    "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN " +
    "SELECT CASE WHEN 1 THEN 2 END; INSERT INTO b VALUES (1); END";
  expect(splitStatements(`${trigger}; SELECT 1`)).toEqual([`${trigger};`, " SELECT 1"]);
  expect(splitStatements("BEGIN; INSERT INTO a VALUES (1); END; SELECT 1")).toHaveLength(4);
});

test("kindOf() tells who needs the write lock", () => {
  const kinds = {
    "select 1": "read",
    "  -- why\n/* how */ VALUES (1)": "read",
    "EXPLAIN DELETE FROM a": "read",
    BEGIN: "read",
    "BEGIN DEFERRED": "read",
    "begin immediate": "write",
    "BEGIN EXCLUSIVE TRANSACTION": "write",
    COMMIT: "end",
    "ROLLBACK TO a": "end",
    "INSERT INTO a VALUES (1)": "write",
    "WITH a AS (SELECT 1) SELECT * FROM a": "read",
    "WITH a AS (SELECT 'delete') DELETE FROM b": "write",
    "PRAGMA user_version = 1": "write",
    VACUUM: "write",
    "VACUUM main INTO 'x'": "refused",
    "attach 'x' AS y": "refused",
    "; DETACH y": "refused",
    "": "write",
  };
  for (const [sql, kind] of Object.entries(kinds)) expect([sql, kindOf(sql)]).toEqual([sql, kind]);
});

test("parametersOf() names parameters by position", () => {
  expect(parametersOf("SELECT ?, :a, ?, @b, :a, $c, '?', \":d\" -- ?")).toEqual([
    undefined,
    ":a",
    undefined,
    "@b",
    "$c",
  ]);
  expect(parametersOf("SELECT ?3, ?1")).toEqual(["?1", undefined, "?3"]);
  expect(parametersOf("SELECT ?99999999")).toEqual([]);
});

/** Whether SQLite, which knows best, comes to another file in a script; it is kept from it. */
function attaches(script: string): boolean {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE a (b)");
  let found = false;
  database.setAuthorizer((action) => {
    if (action !== constants.SQLITE_ATTACH && action !== constants.SQLITE_DETACH) {
      return constants.SQLITE_OK;
    }
    found = true;
    return constants.SQLITE_DENY;
  });
  try {
    database.exec(script);
  } catch {
    // Most are no SQL at some point, where SQLite stops
  }
  database.close();
  return found;
}

const TRIGGER = "AFTER INSERT ON a BEGIN SELECT 1; END;";
const hidden = [
  "CREATE TABLE trigger (begin); ATTACH ':memory:' AS y",
  `CREATE TRIGGER begin ${TRIGGER} ATTACH ':memory:' AS y`,
  `CREATE TEMP TRIGGER t ${TRIGGER} ATTACH ':memory:' AS y`,
  "SELECT $a('); ATTACH ':memory:' AS y; SELECT $b(')",
  "SELECT :a::b('); ATTACH ':memory:' AS y; SELECT $b(')",
];

test.each(hidden)("kindOf() of what splitStatements() finds refuses %s", (script) => {
  expect(attaches(script)).toBe(true);
  expect(splitStatements(script).map(kindOf)).toContain("refused");
});

const piece = fc.constantFrom(
  ...["CREATE ", "TEMP ", "TRIGGER ", "TABLE ", "begin ", "end ", "CASE ", "t ", "(b) ", TRIGGER],
  ...["SELECT ", "1 ", "ATTACH ':memory:' AS y ", "x", "b ", ", ", "; ", ";"],
  ...["'", "''", '"', "`", "[", "]", "--", "\n", "/*", "*/", "(", ")", "$a", ":b", "::", "?1", "#"],
);
const fragment = fc.array(piece, { maxLength: 8 }).map((parts) => parts.join(""));
const statement = fc.oneof(
  fragment,
  fragment.map((text) => `SELECT ${text}; `),
  fragment.map((text) => `SELECT $a(${text}; `),
  fragment.map((text) => `CREATE TRIGGER ${text} ${TRIGGER} `),
  fragment.map((text) => `CREATE TABLE ${text} (b); `),
  fc.constant("ATTACH ':memory:' AS y; "),
);
const script = fc.array(statement, { maxLength: 4 }).map((parts) => parts.join(""));

test("kindOf() refuses each script in which SQLite comes to another file", () => {
  fc.assert(
    fc.property(script, (text) => {
      const kinds = splitStatements(text).map(kindOf);
      expect(kinds.includes("refused") || !attaches(text)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("splitStatements() finds the same statements in what it found", () => {
  fc.assert(
    fc.property(fc.oneof(script, fc.string()), (text) => {
      const statements = splitStatements(text);
      expect(splitStatements(statements.join(""))).toEqual(statements);
      for (const one of statements) expect(splitStatements(one)).toEqual([one]);
    }),
    { numRuns: 300 },
  );
});

test("parametersOf() gives each parameter the position that SQLite gives it", () => {
  const name = fc.constantFrom("?", "?1", "?3", "?12", ":a", "@a", "$a", ":ä", "$a$1", "$a::b(c)");
  const database = new DatabaseSync(":memory:");
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 8 }), (names) => {
      const sql = `SELECT ${names.join(" /* ? */, ")} -- ?`;
      const steps = database.prepare(`EXPLAIN ${sql}`).all();
      const variables = steps.filter(({ opcode }) => opcode === "Variable");
      const positions = variables.map(({ p1 }) => Number(p1));
      const found = parametersOf(sql);
      for (const [at, position] of positions.entries()) {
        const one = names[at] ?? "";
        if (!one.startsWith("?")) expect(found[position - 1]).toBe(one);
      }
      expect(found.length).toBe(Math.max(...positions));
    }),
    { numRuns: 200 },
  );
});

test("the length of a text is no matter", () => {
  const long = `SELECT '${"x".repeat(10_000_000)}'`;
  expect([kindOf(long), parametersOf(long), splitStatements(long)]).toEqual(["read", [], [long]]);
});
