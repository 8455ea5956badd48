import { expect, test } from "vitest";
import { restoreImportMeta } from "./import-meta.ts";
import { joinSegments, splitSegments } from "./segments.ts";

const paths = new Set(["main.ts", "lib/a.ts"]);

const restore = (code: string) =>
  joinSegments(restoreImportMeta(splitSegments(code, paths, "main.ts"), "main.ts"));

test("restoreImportMeta() answers per module, and leaves texts alone", () => {
  const code = [
    "// lib/a.ts",
    "var a = [import.meta.main, import.meta.url];",
    "// main.ts",
    'var b = [import.meta.main, "import.meta.main", import.meta.filename];',
  ].join("\n");
  const lines = restore(code).replaceAll(/ +/g, " ").split("\n");
  expect(lines[1]).toBe('var a = [false , "file:///app/lib/a.ts"];');
  expect(lines[3]).toBe('var b = [true , "import.meta.main", "/app/main.ts" ];');
});

test("restoreImportMeta() keeps columns where the value is shorter", () => {
  const code = "// main.ts\nif (import.meta.main) start();";
  const restored = restore(code);
  expect(restored.indexOf("start")).toBe(code.indexOf("start"));
});
