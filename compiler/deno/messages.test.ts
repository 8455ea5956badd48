import { expect, test } from "vitest";
import { DenoMessages } from "./messages.ts";

const SOURCE = 'import { z } from "zod";\n';

async function read(text: string, step: "fetch" | "bundle" = "bundle") {
  const messages = new DenoMessages(step);
  for (const line of text.split("\n")) messages.add(line);
  return messages.diagnostics(async (path) => (path === "main.ts" ? SOURCE : undefined));
}

test("DenoMessages counts columns from 1, whoever spoke", async () => {
  const text = (column: number) =>
    `error: Import "zod" not a dependency\n    at file:///ignite/src/main.ts:1:${column}`;
  const bundled = await read(text(18));
  const fetched = await read(text(19), "fetch");
  expect(bundled[0]).toMatchObject({ line: 1, column: 19, length: 5, lineText: SOURCE.trim() });
  expect(fetched).toEqual(bundled);
});

test("DenoMessages keeps the causes and leaves noise out", async () => {
  const found = await read(
    "error: Something odd\n\nCaused by:\n    the moon\nerror: bundling failed\n\nStack backtrace:\n   0: <unknown>",
  );
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({
    id: "TOOL_MESSAGE",
    message: "Something odd",
    notes: ["the moon"],
  });
});

test("DenoMessages reads every type error", async () => {
  const one = (id: number) =>
    `TS${id} [ERROR]: Type 'string' is not assignable.\ncode\n  ~~\n    at file:///ignite/src/main.ts:1:10\n`;
  const found = await read(
    `${one(2322)}\n${one(2345)}\nFound 2 errors.\n\nerror: Type checking failed.`,
  );
  expect(found.map(({ message }) => message.slice(0, 6))).toEqual(["TS2322", "TS2345"]);
});

test("DenoMessages shows no path of the jail", async () => {
  const found = await read(
    'error: Module not found "file:///ignite/src/a.ts".\n    at file:///ignite/src/main.ts:1:1',
  );
  expect(JSON.stringify(found)).not.toContain("/ignite/");
});

test("DenoMessages finds the import that esbuild saw on another line", async () => {
  const source = 'import type { T } from "./t.ts";\n\nimport x from "left-padd";\n';
  const messages = new DenoMessages("bundle");
  for (const line of [
    'error: Import "left-padd" not a dependency',
    "    at file:///ignite/src/main.ts:1:14",
    'error: No matching export in "./t.ts" for import "T"',
    "    at file:///ignite/src/main.ts:2:3",
  ]) {
    messages.add(line);
  }
  const [bare, name] = await messages.diagnostics(async () => source);
  expect(bare).toMatchObject({ line: 3, column: 15, length: 11, id: "UNRESOLVED_IMPORT" });
  expect(name).toMatchObject({ line: 1, column: 15, length: 1, id: "MISSING_EXPORT" });
});

test("DenoMessages finds a place in parentheses, and in a folder that has some", async () => {
  const place = (where: string) => read(`error: Something odd\n    at ${where}`, "fetch");
  const url = "file:///ignite/src/(group)/main.ts";
  const expected = { file: "(group)/main.ts", line: 3 };
  expect((await place(`load (${url.replace("(group)/", "")}:3:1)`))[0]).toMatchObject({
    ...expected,
    file: "main.ts",
  });
  expect((await place(`${url}:3:1`))[0]).toMatchObject(expected);
  expect((await place(`file:///ignite/src/%zz.ts:3:1`))[0]).toMatchObject({ file: "%zz.ts" });
});

test("DenoMessages reads lines of any shape once", async () => {
  const line = (text: string) => text.repeat(16_000 / text.length);
  const shapes = ["(a:", ":1", "(a:1:1", "npm package a ", "a", " ", "(", "1"].map(line);
  const lines = shapes.flatMap((shape) => [`error: ${shape}`, `    at ${shape}`, `TS1 ${shape}`]);
  const found = await read(Array.from({ length: 40 }, () => lines.join("\n")).join("\n"));
  expect(found.length).toBeGreaterThan(0);
});

test("DenoMessages answers as many as anybody reads, and reads a file once", async () => {
  const messages = new DenoMessages("bundle");
  for (let at = 0; at < 5_000; at += 1) {
    messages.add("error: Something odd");
    messages.add("    at file:///ignite/src/main.ts:2:1");
  }
  let reads = 0;
  const found = await messages.diagnostics(async () => {
    reads += 1;
    return "one\r\ntwo\r\nthree";
  });
  expect(found).toHaveLength(500);
  expect(found[0]).toMatchObject({ line: 2, lineText: "two" });
  expect(reads).toBe(1);
});
