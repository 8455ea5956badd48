import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nodeFileSystem } from "./node-file-system.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ignite-files-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("nodeFileSystem() lists and reads regular files, and nothing by a link", async () => {
  await mkdir(join(folder, "a"));
  await writeFile(join(folder, "a/b.txt"), "b");
  await symlink("/etc/hostname", join(folder, "link"));
  const files = nodeFileSystem(folder);
  expect(await files.list()).toEqual(["a/b.txt"]);
  expect(await files.read("a/b.txt")).toEqual(Buffer.from("b"));
  expect(await files.read("link")).toBeUndefined();
  expect(await files.read("a")).toBeUndefined();
  expect(await files.read("missing")).toBeUndefined();
});

test("nodeFileSystem() opens few files at a time", async () => {
  const names = Array.from({ length: 2_000 }, (_, at) => `${at}`);
  await Promise.all(names.map((name) => writeFile(join(folder, name), name)));
  const script = `
    import { nodeFileSystem } from ${JSON.stringify(new URL("node-file-system.ts", import.meta.url))};
    const files = nodeFileSystem(process.argv[1]);
    const texts = await Promise.all((await files.list()).map((path) => files.read(path)));
    process.stdout.write(texts.toSorted().join());
  `;
  const program = [process.execPath, "--input-type=module", "--eval", script, folder];
  const limited = ["-c", 'ulimit -n 100 && exec "$0" "$@"', ...program];
  const { stdout } = await promisify(execFile)("sh", limited);
  expect(stdout).toBe(names.toSorted().join());
});
