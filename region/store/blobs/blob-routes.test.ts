import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { orgUploadsMax } from "../../../core/limits.ts";
import { startTemporaryStore, type TemporaryStore } from "../temporary-store.ts";

let running: TemporaryStore;

beforeAll(async () => {
  const migrations = await mkdtemp(join(tmpdir(), "ignite-no-migrations-"));
  running = await startTemporaryStore({ migrations, blobBytesMax: 1_000_000 });
});
afterAll(async () => {
  await running.close();
  await rm(running.options.migrations, { recursive: true });
});

const digestOf = (text: string) => createHash("sha256").update(text).digest("hex");
const pathOf = (text: string) => `/blobs/${digestOf(text)}`;
const put = (path: string, body: string, headers: Record<string, string> = {}) =>
  running.fetch(path, { method: "PUT", body, headers });
const reasonOf = async (response: Response) =>
  ((await response.json()) as { reason: string }).reason;
const temporaryFiles = () => readdir(join(running.options.blobs, "tmp"));

test("PUT stores a blob once, GET and HEAD answer it", async () => {
  expect((await put(pathOf("hello"), "hello")).status).toBe(201);
  expect((await put(pathOf("hello"), "hello")).status).toBe(200);
  const found = await running.fetch(pathOf("hello"));
  expect(await found.text()).toBe("hello");
  expect(found.headers.get("etag")).toBe(`"${digestOf("hello")}"`);
  const headers = { "if-none-match": `"${digestOf("hello")}"` };
  expect((await running.fetch(pathOf("hello"), { headers })).status).toBe(304);
  const head = await running.fetch(pathOf("hello"), { method: "HEAD" });
  expect(head.headers.get("content-length")).toBe("5");
  expect((await running.fetch(pathOf("absent"))).status).toBe(404);
});

test("PUT keeps nothing of a body with another digest or over the limit", async () => {
  const wrong = await put(pathOf("right"), "wrong");
  expect([wrong.status, await reasonOf(wrong)]).toEqual([422, "BLOB_DIGEST_MISMATCH"]);
  const large = "x".repeat(1_000_001);
  const refused = await put(pathOf(large), large);
  expect([refused.status, await reasonOf(refused)]).toEqual([413, "BODY_TOO_LARGE"]);
  expect((await running.fetch(pathOf("right"))).status).toBe(404);
  expect(await temporaryFiles()).toEqual([]);
});

test("PUT keeps nothing of a body that breaks off", async () => {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("half"));
    },
    pull: () => Promise.reject(new Error("gone")),
  });
  const sent = running.fetch(pathOf("half"), { method: "PUT", body, duplex: "half" });
  await expect(sent).rejects.toThrow();
  await expect.poll(temporaryFiles).toEqual([]);
  expect((await running.fetch(pathOf("half"))).status).toBe(404);
});

test("PUT takes an upload in pieces, and tells where it stands", async () => {
  const path = pathOf("abcdef");
  const first = await put(path, "abc", { "content-range": "bytes 0-2/6" });
  expect([first.status, first.headers.get("range")]).toEqual([308, "bytes=0-2"]);
  const head = await running.fetch(path, { method: "HEAD" });
  expect([head.status, head.headers.get("range")]).toEqual([308, "bytes=0-2"]);
  const wrong = await put(path, "ef", { "content-range": "bytes 4-5/6" });
  expect(await reasonOf(wrong)).toBe("BLOB_RANGE_INVALID");
  const asked = await put(path, "", { "content-range": "bytes */6" });
  expect(asked.headers.get("range")).toBe("bytes=0-2");
  const last = await put(path, "def", { "content-range": "bytes 3-5/6" });
  expect(last.status).toBe(201);
  expect(await (await running.fetch(path)).text()).toBe("abcdef");
  expect(await temporaryFiles()).toEqual([]);
});

test("PUT keeps the pieces of owners apart, and starts over after a wrong one", async () => {
  const path = pathOf("shared");
  const piece = (body: string, range: string, owner: string) =>
    put(path, body, { "content-range": range, "ignite-upload-owner": owner });
  await piece("EVIL", "bytes 0-3/6", "mallory");
  expect((await piece("sha", "bytes 0-2/6", "acme")).status).toBe(308);
  expect((await piece("XX", "bytes 4-5/6", "mallory")).status).toBe(422);
  expect((await piece("red", "bytes 3-5/6", "acme")).status).toBe(201);
});

test("PUT keeps a bounded number of incomplete uploads of an owner, the newest", async () => {
  const begin = (text: string, owner: string) =>
    put(pathOf(text), text.slice(0, 1), {
      "content-range": `bytes 0-0/${text.length}`,
      "ignite-upload-owner": owner,
    });
  const uploads = Array.from({ length: orgUploadsMax + 2 }, (_, at) => `upload ${at}`);
  expect((await begin("of somebody else", "acme")).status).toBe(308);
  for (const text of uploads) expect((await begin(text, "mallory")).status).toBe(308);
  expect(await temporaryFiles()).toHaveLength(orgUploadsMax + 1);
  const rest = (text: string, owner: string) =>
    put(pathOf(text), text.slice(1), {
      "content-range": `bytes 1-${text.length - 1}/${text.length}`,
      "ignite-upload-owner": owner,
    });
  const gone = { method: "HEAD", headers: { "ignite-upload-owner": "mallory" } };
  expect((await running.fetch(pathOf(uploads[1] ?? ""), gone)).status).toBe(404);
  expect((await rest("of somebody else", "acme")).status).toBe(201);
  for (const text of uploads.slice(2)) expect((await rest(text, "mallory")).status).toBe(201);
  expect(await temporaryFiles()).toEqual([]);
});

test("PUT with ignite-upload-verify takes no digest for having the bytes", async () => {
  const path = pathOf("theirs");
  await put(path, "theirs");
  const verify = { "ignite-upload-verify": "1", "ignite-upload-owner": "mallory" };
  expect((await put(path, "guess", verify)).status).toBe(422);
  expect((await put(path, "", { ...verify, "content-range": "bytes */0" })).status).toBe(308);
  const head = await running.fetch(path, { method: "HEAD", headers: verify });
  expect(head.status).toBe(404);
  await put(path, "gues", { ...verify, "content-range": "bytes 0-3/6" });
  expect((await put(path, "", { ...verify, "content-range": "bytes */4" })).status).toBe(308);
  expect((await put(path, "!!", { ...verify, "content-range": "bytes 4-5/6" })).status).toBe(422);
  expect((await put(path, "theirs", verify)).status).toBe(200);
  const whole = { ...verify, "content-range": "bytes 0-5/6" };
  expect((await put(path, "theirs", whole)).status).toBe(201);
  expect(await (await running.fetch(path)).text()).toBe("theirs");
});

test("GET answers ranges", async () => {
  await put(pathOf("0123456789"), "0123456789");
  const range = async (value: string) => {
    const response = await running.fetch(pathOf("0123456789"), { headers: { range: value } });
    return [response.status, response.headers.get("content-range"), await response.text()];
  };
  expect(await range("bytes=2-4")).toEqual([206, "bytes 2-4/10", "234"]);
  expect(await range("bytes=8-")).toEqual([206, "bytes 8-9/10", "89"]);
  expect(await range("bytes=-3")).toEqual([206, "bytes 7-9/10", "789"]);
  expect(await range("bytes=5-99")).toEqual([206, "bytes 5-9/10", "56789"]);
  expect(await range("bytes=10-")).toEqual([416, "bytes */10", ""]);
  expect((await range("bytes=0-1,3-4"))[0]).toBe(200);
});

test("an empty blob is a blob", async () => {
  expect((await put(pathOf(""), "")).status).toBe(201);
  expect(await (await running.fetch(pathOf(""))).text()).toBe("");
});

test("GET /blobs lists by digest in pages, DELETE removes what is old", async () => {
  const digests = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const response = await running.fetch(`/blobs?limit=2&cursor=${cursor}`);
    const page = (await response.json()) as { items: { digest: string }[]; cursor: string | null };
    digests.push(...page.items.map((item) => item.digest));
    cursor = page.cursor;
  }
  expect(digests).toEqual(digests.toSorted());
  expect(digests).toContain(digestOf("hello"));
  const erase = (query: string) =>
    running.fetch(`${pathOf("hello")}${query}`, { method: "DELETE" });
  await erase("?before=1000");
  expect((await running.fetch(pathOf("hello"))).status).toBe(200);
  expect((await erase("")).status).toBe(204);
  expect((await running.fetch(pathOf("hello"))).status).toBe(404);
});

test("a path that is not a digest is refused", async () => {
  for (const path of ["/blobs/..%2fstate.db", "/blobs/abc", `/blobs/${"A".repeat(64)}`]) {
    expect((await running.fetch(path)).status, path).toBe(400);
  }
  expect((await running.fetch("/elsewhere")).status).toBe(404);
});

test("BlobFolder.open() removes what an earlier process left half-written", async () => {
  await writeFile(join(running.options.blobs, "tmp", "1-1"), "half");
  const { BlobFolder } = await import("./blob-folder.ts");
  await BlobFolder.open(running.options.blobs, 1_000);
  expect(await temporaryFiles()).toEqual([]);
});
