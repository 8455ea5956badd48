/** Each `golden/*.toml` has its outcome beside it; `UPDATE=1` writes them anew, for reading. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { stringify as stringifyToml, TomlDate } from "smol-toml";
import { expect, test } from "vitest";
import { diagnosticsMax } from "../../core/limits.ts";
import { anyText } from "../../test/harness/arbitraries.ts";
import { formatDiagnostic } from "../diagnostics.ts";
import { fields, variableName } from "./fields.ts";
import { type ManifestResult, parseManifest } from "./parse.ts";

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

/** Parses a text that may be anything: a manifest, or diagnostics that point into it. */
function parseAny(text: string): ManifestResult {
  const result = parseManifest(text);
  if (result.ok) return result;
  const lines = text.split("\n").length;
  expect(result.diagnostics.length).toBeGreaterThan(0);
  expect(result.diagnostics.length).toBeLessThanOrEqual(diagnosticsMax);
  for (const { line, column, message } of result.diagnostics) {
    expect(message).not.toBe("");
    expect(line).toBeLessThanOrEqual(lines);
    expect(column).toBeGreaterThanOrEqual(0);
  }
  return result;
}

test("parseManifest() answers something for any text, and for any that is nearly right", () => {
  fc.assert(fc.property(anyText(), (text) => void parseAny(text)));
  const full = readFileSync(join(folder, "full.toml"), "utf8");
  const change = fc.tuple(fc.nat(full.length), fc.nat(9), fc.string({ maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      let text = full;
      for (const [at, cut, put] of changes) text = text.slice(0, at) + put + text.slice(at + cut);
      parseAny(text);
    }),
    { numRuns: 150 },
  );
});

const scalar = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.constant(new TomlDate("1979-05-27T07:32:00Z")),
);
const value = fc.oneof(
  scalar,
  fc.array(fc.string(), { maxLength: 3 }),
  fc.dictionary(fc.string(), scalar, { maxKeys: 3 }),
  fc.array(fc.dictionary(fc.string(), scalar, { maxKeys: 2 }), { maxLength: 2 }),
);
const inherited = fc.constantFrom("constructor", "__proto__", "toString", "hasOwnProperty");

/** A table of which most keys are known. */
function tableOf(known: readonly string[]) {
  const key = fc.oneof({ weight: 4, arbitrary: fc.constantFrom("A", ...known) }, inherited);
  return fc.dictionary(key, value, { maxKeys: 4 });
}

test("parseManifest() of any value in any key answers a manifest or what is wrong", () => {
  const tables = Object.entries(fields).filter(([name]) => name !== "");
  const document = fc.tuple(
    tableOf(Object.keys(fields[""] ?? {})),
    fc.record(
      Object.fromEntries(
        tables.map(([name, table]) => [
          name,
          fc.oneof({ weight: 5, arbitrary: tableOf(Object.keys(table)) }, value),
        ]),
      ),
      { requiredKeys: [] },
    ),
  );
  fc.assert(
    fc.property(document, ([top, rest]) => {
      parseAny(stringifyToml({ ...top, ...rest }));
    }),
    { numRuns: 150 },
  );
});

test("parseManifest() keeps variables and secrets of any name", () => {
  const name = fc.oneof(fc.stringMatching(variableName), inherited);
  const variables = fc.dictionary(name, fc.string(), { maxKeys: 5 });
  const references = fc.dictionary(name, fc.constant("store"), { maxKeys: 5 });
  fc.assert(
    fc.property(variables, references, (vars, secrets) => {
      const result = parseManifest(stringifyToml({ vars, secrets }));
      const isTwice = Object.keys(secrets).some((key) => Object.hasOwn(vars, key));
      expect(result.ok).toBe(!isTwice);
      if (!result.ok) return;
      expect(Object.entries(result.manifest.vars)).toEqual(Object.entries(vars));
      expect(Object.keys(result.manifest.secrets)).toEqual(Object.keys(secrets));
    }),
  );
});

test("parseManifest() of a manifest that is wrong in every line is answered in time", () => {
  const lines = Array.from({ length: 25_000 }, (_, at) => `k${at}=1`);
  const result = parseAny(lines.join("\n")); // Took minutes when each key was looked for
  expect(!result.ok && result.diagnostics.length).toBe(diagnosticsMax);
});

test("parseManifest() takes no key from the prototype of objects", () => {
  expect(parseManifest("constructor = 1").ok).toBe(false);
  expect(parseManifest("[__proto__]\nx = 1").ok).toBe(false);
});

test.each([
  ["spaces in a bracket", `x = """\n[${" ".repeat(200_000)}\n"""\n`],
  ["words in a bracket", `x = """\n[${"a ".repeat(100_000)}\n"""\n`],
  ["a key without end", `${"a".repeat(250_000)} = 1`],
  ["one table again and again", "[[limit]]\n".repeat(20_000)],
  ["a key of many parts", `${"a.".repeat(100_000)}a = 1`],
])("parseManifest() reads %s once", (_, text) => {
  const result = parseManifest(text);
  expect(result.ok).toBe(false);
  if (!result.ok) expect(result.diagnostics.length).toBeLessThanOrEqual(diagnosticsMax);
});
