/** Each `golden/*.toml` has its outcome beside it; `UPDATE=1` writes them anew, for reading. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDiagnostic } from "../diagnostics.ts";
import { parseManifest } from "./parse.ts";

const folder = join(import.meta.dirname, "golden");
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".toml"))
  .map((name) => name.slice(0, -".toml".length));

test.each(names)("parseManifest() of golden/%s.toml", (name) => {
  const result = parseManifest(readFileSync(join(folder, `${name}.toml`), "utf8"));
  const extension = result.ok ? "json" : "err";
  const text = result.ok
    ? JSON.stringify(result.manifest, null, 2)
    : result.diagnostics.map(formatDiagnostic).join("\n");
  const path = join(folder, `${name}.${extension}`);
  if (process.env["UPDATE"] !== undefined) {
    for (const old of ["json", "err"]) rmSync(join(folder, `${name}.${old}`), { force: true });
    writeFileSync(path, `${text}\n`);
  }
  expect(existsSync(path), `${path} is missing: run with UPDATE=1 and read it`).toBe(true);
  const kept = readFileSync(path, "utf8");
  if (result.ok) expect(JSON.parse(text)).toEqual(JSON.parse(kept));
  else expect(`${text}\n`).toBe(kept);
});

test("parseManifest() answers something for any text", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const result = parseManifest(text);
      expect(result.ok || result.diagnostics.length > 0).toBe(true);
    }),
  );
});

test("parseManifest() takes no key from the prototype of objects", () => {
  expect(parseManifest("constructor = 1").ok).toBe(false);
  expect(parseManifest("[__proto__]\nx = 1").ok).toBe(false);
});
