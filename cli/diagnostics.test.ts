import { create } from "@bufbuild/protobuf";
import pc from "picocolors";
import { expect, test } from "vitest";
import { DiagnosticSchema, Severity } from "../proto/gen/ignite/v1/compile_pb.ts";
import { formatDiagnostic } from "./diagnostics.ts";

const plain = pc.createColors(false);
const base = { severity: Severity.ERROR, code: "SYNTAX", message: "No.", file: "main.ts" };
const format = (fields: object, source?: string) =>
  formatDiagnostic(create(DiagnosticSchema, { ...base, ...fields }), plain, async () => source);

test("formatDiagnostic() marks the place in the line, behind tabs too", async () => {
  const text = await format({ line: 12, column: 3, length: 3, lineText: "\t\tfoo()" });
  expect(text).toBe(
    ["main.ts:12:3: error: No. [SYNTAX]", "  12 |     foo()", "     |     ^^^"].join("\n"),
  );
});

test("formatDiagnostic() reads the line from the source when it is not told", async () => {
  const text = await format({ line: 2, column: 1 }, "one\r\ntwo\r\n");
  expect(text).toContain("  2 | two\n    | ^");
});

test("formatDiagnostic() cuts a long line around the mark", async () => {
  const lineText = `${"a".repeat(5_000)}HERE${"b".repeat(5_000)}`;
  const [, line = "", mark = ""] = (
    await format({ line: 1, column: 5_001, length: 4, lineText })
  ).split("\n");
  expect(line.length).toBeLessThan(200);
  expect(line.slice(mark.indexOf("^"), mark.lastIndexOf("^") + 1)).toBe("HERE");
});

test("formatDiagnostic() tells notes, and needs no place", async () => {
  const text = await format({ file: "", severity: Severity.WARNING, notes: ["try it", "or not"] });
  expect(text).toBe("warning: No. [SYNTAX]\n  = try it\n  = or not");
});
