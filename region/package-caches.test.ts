import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PackageCaches } from "./package-caches.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ignite-caches-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("PackageCaches.bound() removes a cache that is too large, and what is noted of it", async () => {
  const caches = new PackageCaches(folder, 200_000);
  for (const [name, bytes] of Object.entries({ small: 1_000, large: 300_000 })) {
    const cache = await caches.use(name);
    await mkdir(join(cache, "npm/registry"), { recursive: true });
    await writeFile(join(cache, "npm/registry/package.tgz"), new Uint8Array(bytes));
    await mkdir(`${cache}.fetched`);
    await caches.bound(name);
  }
  expect((await readdir(folder)).toSorted()).toEqual(["small", "small.fetched"]);
});

test("PackageCaches.bound() counts small files by what they take of the disk", async () => {
  const caches = new PackageCaches(folder, 200_000);
  const cache = await caches.use("many");
  const names = Array.from({ length: 100 }, (_, at) => join(cache, `${at}`));
  await Promise.all(names.map((name) => writeFile(name, "x")));
  await caches.bound("many");
  expect(await readdir(folder)).toEqual([]);
});

test("PackageCaches.dropUnused() keeps what was used of late", async () => {
  const caches = new PackageCaches(folder);
  await caches.use("new");
  await utimes(await caches.use("old"), new Date(0), new Date(0));
  await caches.dropUnused();
  expect(await readdir(folder)).toEqual(["new"]);
});
