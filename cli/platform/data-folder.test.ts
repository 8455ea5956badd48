import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDataFolder } from "./data-folder.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ignite-data-"));
});

afterEach(() => rm(root, { recursive: true, force: true }));

test("openDataFolder() keeps the master key, readable by its owner only", async () => {
  const first = await openDataFolder(root);
  await first.release();
  const second = await openDataFolder(root);
  expect(second.masterKey).toEqual(first.masterKey);
  expect((await stat(join(root, "keys", "master"))).mode & 0o777).toBe(0o600);
  expect((await stat(second.run)).mode & 0o777).toBe(0o700);
  await second.release();
});

test("openDataFolder() refuses a folder in use", async () => {
  const first = await openDataFolder(root);
  await expect(openDataFolder(root)).rejects.toMatchObject({ reason: "ALREADY_RUNNING" });
  await first.release();
});

test("openDataFolder() takes over after a crash", async () => {
  const url = new URL("./data-folder.ts", import.meta.url).href;
  const script = `const { openDataFolder } = await import(${JSON.stringify(url)});
    await openDataFolder(${JSON.stringify(root)});
    console.log("open");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  await once(child.stdout, "data");
  await expect(openDataFolder(root)).rejects.toMatchObject({ reason: "ALREADY_RUNNING" });
  child.kill("SIGKILL");
  await once(child, "exit");
  await (await openDataFolder(root)).release();
});

test("openDataFolder() refuses a damaged master key and leaves it as it is", async () => {
  await (await openDataFolder(root)).release();
  await truncate(join(root, "keys", "master"), 7);
  await expect(openDataFolder(root)).rejects.toMatchObject({ reason: "STORE_CORRUPT" });
  expect((await stat(join(root, "keys", "master"))).size).toBe(7);
});

test("openDataFolder() puts sockets elsewhere when the path is too long for one", async () => {
  const deep = join(root, "d".repeat(90));
  const folder = await openDataFolder(deep);
  expect(folder.run.length).toBeLessThan(70);
  await folder.release();
  await rm(folder.run, { recursive: true });
});
