import { expect, test } from "vitest";
import { usesNode } from "./node-use.ts";

const uses = (...texts: string[]) => usesNode(texts.map((text) => ({ path: "main.ts", text })));

test.each([
  'import { join } from "node:path";',
  'const fs = await import("node:fs");',
  "console.log(process.env.HOME);",
  "Buffer.from('x');",
  "setImmediate(() => {});",
])("usesNode() sees %s", (text) => {
  expect(uses(text)).toBe(true);
});

test.each([
  "// process.env\nconst text = 'Buffer.from';",
  'const found = typeof process !== "undefined" ? process.env : {};',
  "const process = make(); process.start();",
  "schema.process.run(); globalThis.process?.env;",
  "const schema = { process(value) { return value; } };",
  "for (const global of all) global.run();",
])("usesNode() is not misled by %s", (text) => {
  expect(uses(text)).toBe(false);
});

test("usesNode() looks at each module by itself", () => {
  expect(uses("typeof process", "process.exit();")).toBe(true);
});
