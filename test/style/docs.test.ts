/** The documents tell the truth about what can be checked: paths, commands, dependencies. */
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { expect, test } from "vitest";
import { files } from "./sources.ts";

const README_LINES_MAX = 150;
const documents = files.filter((path) =>
  /^(README|ARCHITECTURE|CONTRIBUTING|SECURITY)\.md$|^docs\/.*\.md$/.test(path),
);
const manifest = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
const folders = new Set(
  files.filter((path) => path.includes("/")).map((path) => path.split("/")[0]),
);

test("README is short enough to be read", () => {
  expect(read("README.md").split("\n").length).toBeLessThan(README_LINES_MAX);
});

test.each(documents)("paths and links in %s exist", (document) => {
  const missing = [...pathsIn(document)].filter((path) => !existsSync(path));
  expect(missing).toEqual([]);
});

test.each(documents)("npm scripts in %s exist", (document) => {
  const names = [...read(document).matchAll(/npm run ([a-z:-]+)/g)].map(([, name]) => name ?? "");
  expect(names.filter((name) => manifest["scripts"]?.[name] === undefined)).toEqual([]);
});

test("CONTRIBUTING.md explains every npm script", () => {
  const text = read("CONTRIBUTING.md");
  const named = (name: string) => text.includes(`npm ${name}\``) || text.includes(`run ${name}\``);
  expect(Object.keys(manifest["scripts"] ?? {}).filter((name) => !named(name))).toEqual([]);
});

test("CONTRIBUTING.md gives each dependency its reason, and no other", () => {
  const section = read("CONTRIBUTING.md").split("## Dependencies")[1] ?? "";
  const rows = section.matchAll(/^\| `([^`]+)` \| ([^|]+) \|$/gm);
  const reasons = new Map([...rows].map(([, name, reason]) => [name, reason?.trim()]));
  const used = Object.keys({ ...manifest["dependencies"], ...manifest["devDependencies"] });
  expect([...reasons.keys()].toSorted()).toEqual(used.toSorted());
  expect([...reasons].filter(([, reason]) => !reason)).toEqual([]);
});

test("nothing in the repository is left to do without saying where", () => {
  const marks = new RegExp(`\\b(${["TO", "DO"].join("")}|${["FIX", "ME"].join("")})\\b(?! #\\d)`);
  const found = texts().filter(({ text }) => marks.test(text));
  expect(found.map(({ path }) => path)).toEqual([]);
});

test("no file names a place of one machine", () => {
  const homes = ["home", "root", "Users", "work"].join("|");
  const place = new RegExp(`(?<![\\w.$}/-])/(${homes})/[a-z]`);
  const found = texts().filter(({ text }) => place.test(text));
  expect(found.map(({ path }) => path)).toEqual([]);
});

function texts(): { path: string; text: string }[] {
  const isText = /\.(ts|mjs|md|json|toml|ya?ml|proto|sql|sh)$/;
  const own = files.filter((path) => isText.test(path) && path !== "package-lock.json");
  return own.map((path) => ({ path, text: read(path) }));
}

/** Links, and code that looks like a path of this repository; patterns and placeholders aside. */
function* pathsIn(document: string): Generator<string> {
  const text = read(document);
  for (const [, target = ""] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
    if (!/^[a-z]+:/.test(target)) yield posix.join(posix.dirname(document), target);
  }
  for (const [, code = ""] of text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/`([^`\n]+)`/g)) {
    const isPath = /^[\w.-]+(\/[\w.-]+)+\/?$/.test(code) && folders.has(code.split("/")[0] ?? "");
    if (isPath && !/NNNN/.test(code)) yield code;
  }
}

function read(path: string): string {
  return readFileSync(path, "utf8");
}
