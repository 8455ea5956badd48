import { posix } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Glob, isGlob } from "./glob.ts";

test.each([
  ["public", ["public", "public/a", "public/a/b"], ["a/public", "publics", "public/.a"]],
  ["./public/", ["public/a"], ["a"]],
  ["*.txt", ["a.txt"], ["a/b.txt", ".a.txt", "a.txt.js", "a"]],
  ["**/*.txt", ["a.txt", "a/b/c.txt"], ["a/.b/c.txt"]],
  ["a/**/b/*", ["a/b/c", "a/b/b/c", "a/x/y/b/c/d"], ["a/x/c", "b/b/c"]],
  ["a/**", ["a/b", "a/b/c"], ["a", "a/.b"]],
  ["?.js", ["a.js"], ["ab.js", ".js"]],
  [".well-known/**", [".well-known/a"], ["well-known/a"]],
  ["app/(group)/*.tsx", ["app/(group)/page.tsx"], ["app/group/page.tsx"]],
  ["*a*b*", ["ab", "xaxbx", "aab"], ["ba", "a"]],
])("Glob %s means what it says", (text, those, others) => {
  expect(isGlob(text)).toBe(true);
  const glob = new Glob(text);
  expect(those.filter((path) => !glob.matches(path))).toEqual([]);
  expect(others.filter((path) => glob.matches(path))).toEqual([]);
});

test.each([
  "",
  "/etc",
  "../a",
  "a/../b",
  "!a",
  "{a,b}",
  "a[0-9]",
  "a\\b",
  "**a",
  "a/***",
  "+(a)",
  "*(a)",
  "a\nb",
  "a".repeat(513),
])("isGlob() refuses %j", (text) => {
  expect(isGlob(text)).toBe(false);
});

test("Glob agrees with Node about paths in their plain form", () => {
  const name = fc.string({ unit: fc.constantFrom("a", "b", "."), minLength: 1, maxLength: 4 });
  const wild = fc.string({ unit: fc.constantFrom("a", "*", "?", "."), minLength: 1, maxLength: 4 });
  const names = fc.array(name, { minLength: 1, maxLength: 4 });
  const globs = fc.array(fc.oneof(wild, fc.constant("**")), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(names, globs, (path, parts) => {
      const text = parts.join("/");
      fc.pre(isGlob(text) && ![...path, ...parts].some((part) => part === "." || part === ".."));
      const node = [text, `${text}/**`].some((each) => posix.matchesGlob(path.join("/"), each));
      expect(new Glob(text).matches(path.join("/"))).toBe(node);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["stars in a name", "*a".repeat(250), "a".repeat(500)],
  ["one star in a name", `*${"a".repeat(250)}b`, "a".repeat(500)],
  ["folders", `${"**/a/".repeat(100)}b`, "a/".repeat(250)],
  ["stars in folders", `${"**/*a*a*/".repeat(50)}b`, "aaa/".repeat(125)],
])("Glob with many %s costs no more than both lengths multiplied", (_, text, path) => {
  expect(isGlob(text)).toBe(true);
  expect(new Glob(text).matches(`${path}c`)).toBe(false);
});
