import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { anyText } from "../test/harness/arbitraries.ts";
import { type ArchiveLimits, unpackArchive } from "./archive.ts";
import { type OddEntry, packTree } from "./pack-tree.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ignite-archive-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function unpack(files: Record<string, string | OddEntry>, limits?: ArchiveLimits) {
  const archive = Readable.from([await packTree(files)]);
  return unpackArchive(archive, join(folder), limits === undefined ? {} : { limits });
}

test("unpackArchive() writes files and their folders", async () => {
  const done = await unpack({ "main.ts": "1", "./a/b/c.txt": "two", "ünïcode.txt": "3" });
  expect(done).toEqual({ files: 3, bytes: 5 });
  expect(await readFile(join(folder, "a/b/c.txt"), "utf8")).toBe("two");
  expect((await readdir(folder)).toSorted()).toEqual(["a", "main.ts", "ünïcode.txt"]);
});

const long = `${"d/".repeat(300)}f`;
const refused: [string, Record<string, string | OddEntry>, RegExp][] = [
  ["a path with ..", { "../evil": "x" }, /leaves the folder/],
  ["a path with .. inside", { "a/../../evil": "x" }, /leaves the folder/],
  ["an absolute path", { "/etc/evil": "x" }, /absolute/],
  ["a symbolic link", { link: { type: "SymbolicLink", linkpath: "/etc/passwd" } }, /symbolic link/],
  ["a hard link", { link: { type: "Link", linkpath: "main.ts" } }, /link/],
  ["a device", { dev: { type: "CharacterDevice" } }, /character device/],
  ["a pipe", { pipe: { type: "FIFO" } }, /fifo/i],
  ["a path that is not plain", { "a//b": "x" }, /plain form/],
  ["a backslash", { "a\\b": "x" }, /backslash/],
  ["a control character", { "a\nb": "x" }, /control character/],
  ["one name twice", { a: "x", "./a": "y" }, /twice/],
  ["a file that is a folder too", { a: "x", "a/b": "y" }, /file and a folder/],
  ["a path that is too long", { [long]: "x" }, /longer than/],
  ["a name that is too long", { [`a/${"b".repeat(256)}`]: "x" }, /name in its path is longer/],
];

test.each(refused)("unpackArchive() refuses %s and names the entry", async (_, files, why) => {
  const unpacking = unpack(files);
  await expect(unpacking).rejects.toMatchObject({ reason: "ARCHIVE_REJECTED" });
  await expect(unpacking).rejects.toThrow(why);
});

test("unpackArchive() refuses names that are not UTF-8", async () => {
  const plain = gunzipSync(await packTree({ "abcd.txt": "x" }));
  plain.set([0xff, 0xfe], 0);
  fixChecksum(plain);
  const archive = Readable.from([gzipSync(plain)]);
  await expect(unpackArchive(archive, folder)).rejects.toThrow(/not UTF-8/);
});

test("unpackArchive() stops at too many files and too many bytes", async () => {
  const limits = { files: 3, expandedBytes: 10, pathBytes: 100 };
  await expect(unpack({ a: "", b: "", c: "", d: "" }, limits)).rejects.toThrow(
    /more than 3 entries/,
  );
  await expect(unpack({ a: "12345", b: "123456" }, limits)).rejects.toThrow(/more than 10 bytes/);
});

test("unpackArchive() stops at too many folders, which files name too", async () => {
  const limits = { files: 3, expandedBytes: 10, pathBytes: 100 };
  await unpack({ "a/b/c/d": "", "a/b/c/e": "" }, limits);
  await expect(unpack({ "a/b/c/d": "", "a/x/e": "" }, limits)).rejects.toThrow(
    /"a\/x\/e".*more than 3 folders/,
  );
});

test("unpackArchive() stops a bomb before it is unpacked", async () => {
  const limits = { files: 10, expandedBytes: 1_000_000, pathBytes: 100 };
  const body = new Uint8Array(20_000_000);
  const bomb = unpack({ bomb: { type: "File", body } }, limits);
  await expect(bomb).rejects.toMatchObject({ reason: "ARCHIVE_REJECTED" });
  expect(await readdir(folder)).toEqual([]);
});

test("unpackArchive() refuses what is damaged or no archive", async () => {
  const whole = await packTree({ "main.ts": "x".repeat(100_000) });
  for (const bytes of [
    Buffer.from("hello"),
    whole.subarray(0, whole.length / 2),
    gzipSync("hello"),
  ]) {
    const unpacking = unpackArchive(Readable.from([bytes]), folder);
    await expect(unpacking).rejects.toMatchObject({ reason: "ARCHIVE_REJECTED" });
  }
});

test("unpackArchive() of any changed archive unpacks or says ARCHIVE_REJECTED", async () => {
  const tar = gunzipSync(await packTree({ "main.ts": "x".repeat(600), "a/b.ts": "y" }));
  const change = fc.tuple(fc.nat(tar.length - 1), fc.integer({ min: 0, max: 255 }));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const changed = Buffer.from(tar);
      for (const [at, byte] of changes) changed[at] = byte;
      if (changes.some(([at]) => at < 512)) fixChecksum(changed);
      await unpackAny(gzipSync(changed));
    }),
    { numRuns: 80 },
  );
});

/** Unpacks bytes that may be anything into a folder of their own; answers what lies there. */
async function unpackAny(bytes: Uint8Array): Promise<string[] | "ARCHIVE_REJECTED"> {
  const inside = await mkdtemp(join(folder, "x-"));
  try {
    await unpackArchive(Readable.from([bytes]), inside);
    const found = await readdir(inside, { recursive: true, withFileTypes: true });
    expect(found.every((entry) => entry.isFile() || entry.isDirectory())).toBe(true);
    const files = found.filter((entry) => entry.isFile());
    return files.map(({ parentPath, name }) => relative(inside, join(parentPath, name)));
  } catch (error) {
    expect(error).toMatchObject({ reason: "ARCHIVE_REJECTED" });
    return "ARCHIVE_REJECTED";
  } finally {
    expect((await readdir(folder)).every((name) => name.startsWith("x-"))).toBe(true);
  }
}

test("unpackArchive() of any bytes, compressed or not, says ARCHIVE_REJECTED", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (bytes) => {
      fc.pre(bytes.some((byte) => byte !== 0)); // Zeros are an archive's end
      expect(await unpackAny(bytes)).toBe("ARCHIVE_REJECTED");
      expect(await unpackAny(gzipSync(bytes))).toBe("ARCHIVE_REJECTED");
    }),
    { numRuns: 60 },
  );
});

test("unpackArchive() of changed gzip unpacks the same or says ARCHIVE_REJECTED", async () => {
  const whole = await packTree({ "main.ts": "x".repeat(600), "a/b.ts": "y" });
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
      const changed = whole.slice();
      changed[at] = (changed[at] ?? 0) ^ by;
      const files = await unpackAny(changed);
      if (files !== "ARCHIVE_REJECTED") expect(files.toSorted()).toEqual(["a/b.ts", "main.ts"]);
      expect(await unpackAny(whole.subarray(0, at))).toBe("ARCHIVE_REJECTED");
    }),
    { numRuns: 60 },
  );
});

test("unpackArchive() writes names as they are, or not at all", async () => {
  const part = fc.oneof(
    fc.constantFrom("a", "..", ".", "", "c".repeat(256), "é".repeat(128), "~", "nul", "-rf"),
    anyText(4),
  );
  const name = fc
    .array(part, { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join("/"))
    .filter((path) => !/[\0\n]|\/$/.test(path)); // Ends of fields, and the sign of a folder
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 3 }), async (names) => {
      const files = await unpackAny(await packTree(Object.fromEntries(names.map((n) => [n, "x"]))));
      if (files === "ARCHIVE_REJECTED") return;
      const plain = names.map((each) => each.replace(/^\.\//, ""));
      expect(files.toSorted()).toEqual(plain.toSorted());
    }),
    { numRuns: 80 },
  );
});

test("unpackArchive() ends when it is cancelled", async () => {
  const signal = AbortSignal.abort(new Error("gone"));
  const archive = Readable.from([await packTree({ a: "1" })]);
  await expect(unpackArchive(archive, folder, { signal })).rejects.toThrow("gone");
});

/** The sum over a header counts its own field as blanks. */
function fixChecksum(tar: Buffer): void {
  tar.fill(0x20, 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}
