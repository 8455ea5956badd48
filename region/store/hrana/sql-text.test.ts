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
