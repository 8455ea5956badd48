import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sourceFilesMax } from "../../core/limits.ts";
import { readSourceFiles } from "./source-files.ts";

let folder: string;
const everything = { include: [], exclude: [], assets: [] };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ignite-source-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

const names = async (build: Parameters<typeof readSourceFiles>[1] = everything, main?: string) =>
  Object.keys((await readSourceFiles(folder, build, main)).files);

test("readSourceFiles() takes all files in a fixed order, but what never is source", async () => {
  await write({
    "main.ts": "",
    "a/b.txt": "",
    "Z.txt": "",
    "node_modules/x/index.js": "",
    ".git/HEAD": "",
    ".ignite/data/db": "",
    ".env": "SECRET=1",
    ".env.local": "SECRET=1",
  });
  expect(await names()).toEqual(["Z.txt", "a/b.txt", "main.ts"]);
});

test("readSourceFiles() obeys .gitignore of each folder, and .igniteignore takes back", async () => {
  await write({
    ".gitignore": "*.log\n/dist/\n",
    ".igniteignore": "!dist/\nnotes.md\n",
    "x.log": "",
    "notes.md": "",
    "dist/app.js": "",
    "sub/.gitignore": "private/\n!kept.log\n",
    "sub/private/a.txt": "",
    "sub/kept.log": "",
    "sub/dropped.log": "",
    "private/a.txt": "",
  });
  expect(await names()).toEqual([
    ".gitignore",
    ".igniteignore",
    "dist/app.js",
    "private/a.txt",
    "sub/.gitignore",
    "sub/kept.log",
  ]);
});

test("readSourceFiles() keeps to [build] include and exclude, and what a compile needs", async () => {
  await write({
    "ignite.toml": "",
    "deno.json": "{}",
    "main.ts": "",
    "public/index.html": "",
    "src/a.ts": "",
    "src/a.test.ts": "",
    "docs/x.md": "",
  });
  const build = { include: ["src/**"], exclude: ["*.test.ts"], assets: ["public/**"] };
  expect(await names(build, "main.ts")).toEqual([
    "deno.json",
    "ignite.toml",
    "main.ts",
    "public/index.html",
    "src/a.ts",
  ]);
});

test("readSourceFiles() follows links to files of the folder and to nothing else", async () => {
  await write({ "main.ts": "main" });
  await symlink("main.ts", join(folder, "inside.ts"));
  await symlink("/etc/hostname", join(folder, "outside"));
  await symlink("nowhere", join(folder, "broken"));
  await symlink("..", join(folder, "up"));
  const tree = await readSourceFiles(folder, everything);
  expect(Object.keys(tree.files)).toEqual(["inside.ts", "main.ts"]);
  expect(tree.skippedLinks.toSorted()).toEqual(["broken", "outside", "up"]);
});

test("readSourceFiles() refuses a name that is not UTF-8", async () => {
  const name = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x66, 0xff, 0x6f])]);
  await writeFile(name, "");
  await expect(names()).rejects.toMatchObject({ reason: "ARCHIVE_REJECTED" });
});

test("readSourceFiles() refuses paths that are too long", async () => {
  const part = "d".repeat(200);
  await write({ [`${part}/${part}/${part}/x`]: "" });
  await expect(names()).rejects.toThrow(/longer than 512 bytes/);
});

test("readSourceFiles() refuses more files than an app may have", async () => {
  const count = sourceFilesMax + 1;
  for (let at = 0; at < count; at += 500) {
    const batch = Array.from({ length: Math.min(500, count - at) }, (_, index) => at + index);
    await Promise.all(batch.map((index) => writeFile(join(folder, `${index}`), "")));
  }
  await expect(names()).rejects.toThrow(/more than 20000 files/);
});
