import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bundledMain } from "./bundle.mjs";
import { temporaryFolder } from "./testing/run-cli.ts";

let home: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  home = await temporaryFolder();
  await mkdir(join(home.path, "cli"));
  await writeFile(join(home.path, "package-lock.json"), "{}");
  await writeFile(join(home.path, "cli", "built.mjs"), "");
  await writeFile(join(home.path, "cli", "bundle.mjs"), "");
  await writeFile(join(home.path, "cli", "main.ts"), 'export const text: string = "one";');
});

afterEach(() => home.remove());

const build = async () => readFile((await bundledMain(home.path)) ?? "", "utf8");

test("bundledMain() bundles once, and again when a source has changed", async () => {
  expect(await build()).toContain('"one"');
  const marked = join(home.path, "dist", "cli", "marked");
  await writeFile(marked, "");
  await build();
  expect(await readFile(marked, "utf8")).toBe("");
  await writeFile(join(home.path, "cli", "main.ts"), 'export const text: string = "three";');
  expect(await build()).toContain('"three"');
  await expect(readFile(marked)).rejects.toThrow();
});

test("bundledMain() answers undefined for sources that cannot be bundled", async () => {
  await writeFile(join(home.path, "cli", "main.ts"), 'import "./nowhere.ts";');
  expect(await bundledMain(home.path)).toBeUndefined();
});
