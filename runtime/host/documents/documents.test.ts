import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { type AppDocument, signDocument } from "../../../core/deployment.ts";
import type { Digest } from "../../../core/ids.ts";
import { channelKey } from "../../../core/plane-token.ts";
import { ArtifactCache } from "./artifacts.ts";
import { Documents } from "./documents.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ignite-documents-"));
  folders.push(path);
  return path;
}

const key = await channelKey(new Uint8Array(32), "documents");

function appDocument(change: Partial<AppDocument>): AppDocument {
  return {
    appId: "app_1",
    org: "acme",
    app: "hello",
    deleted: false,
    domains: [],
    access: { policy: "public" },
    limits: { memoryMb: 128, cpuMs: 1_000, timeoutMs: 30_000, bodyMb: 100, methods: [] },
    traffic: [],
    sticky: "none",
    schema: {},
    versions: {},
    ...change,
  };
}

function signed(sequence: number, change: Partial<AppDocument> = {}) {
  const body = JSON.stringify(appDocument(change));
  return signDocument(key, { kind: "app", key: "acme/hello", sequence, body });
}

test("Documents.apply() keeps the newest that control signed, also over a restart", async () => {
  const options = { folder: await folder(), key, domain: "localhost" };
  const documents = new Documents(options);
  await documents.load();
  expect(await documents.apply([await signed(2, { domains: ["shop.test"] })])).toHaveLength(1);
  expect(await documents.apply([await signed(1, { domains: ["old.test"] })])).toEqual([]);
  const forged = { ...(await signed(9)), body: JSON.stringify(appDocument({ deleted: true })) };
  expect(await documents.apply([forged])).toEqual([]);
  expect(documents.atHost("shop.test")?.app.key).toBe("acme/hello");
  expect(documents.atHost("v3--hello--acme.localhost")?.version).toBe(3);
  expect(documents.atHost("old.test")).toBeUndefined();

  await writeFile(join(options.folder, "app.damaged.json"), "{");
  const again = new Documents(options);
  await again.load();
  expect(again.atHost("shop.test")?.app.document.domains).toEqual(["shop.test"]);
  await again.apply([await signed(3, { deleted: true })]);
  expect(again.app("acme/hello")).toBeUndefined();
  expect(again.atHost("shop.test")).toBeUndefined();
});

test("Documents ignores custom domains that are the platform's, as older control planes took", async () => {
  const documents = new Documents({ folder: await folder(), key, domain: "localhost" });
  await documents.load();
  const domains = ["127.0.0.1", "localhost", "shop.localhost", "shop.test"];
  await documents.apply([await signed(1, { domains })]);
  for (const host of domains.slice(0, 3)) expect(documents.atHost(host)).toBeUndefined();
  const app = documents.atHost("shop.test")?.app;
  expect(app && documents.addressesOf(app)).toEqual([
    "hello--acme.localhost",
    "@acme/hello",
    "shop.test",
  ]);
});

function digestOf(bytes: string): Digest {
  return createHash("sha256").update(bytes).digest("hex") as Digest;
}

test("ArtifactCache keeps only bytes of the right digest, fetched once", async () => {
  const path = await folder();
  let fetches = 0;
  let answer = "wrong";
  const open = async () => {
    const cache = new ArtifactCache({
      folder: path,
      bytesMax: 100,
      async fetch() {
        fetches += 1;
        return Readable.from([Buffer.from(answer)]);
      },
    });
    await cache.load();
    return cache;
  };
  const cache = await open();
  const digest = digestOf("right");
  await expect(cache.ensure(digest)).rejects.toMatchObject({ reason: "BLOB_DIGEST_MISMATCH" });
  expect(await readdir(path)).toEqual(["new"]);
  answer = "right";
  fetches = 0;
  await Promise.all([cache.ensure(digest), cache.ensure(digest), cache.ensure(digest)]);
  expect(fetches).toBe(1);
  expect(await text((await cache.open(digest)).stream)).toBe("right");
  expect(await text((await (await open()).open(digest)).stream)).toBe("right");
  expect(fetches).toBe(1);
  await cache.drop(digest);
  expect(await text((await cache.open(digest)).stream)).toBe("right");
  expect(fetches).toBe(2);
});

test("ArtifactCache drops the least recently used above its bound", async () => {
  const path = await folder();
  const contents = new Map(["aaaa", "bbbb", "cccc"].map((bytes) => [digestOf(bytes), bytes]));
  const cache = new ArtifactCache({
    folder: path,
    bytesMax: 8,
    fetch: async (digest) => Readable.from([Buffer.from(contents.get(digest) ?? "")]),
  });
  await cache.load();
  const [a, b, c] = Array.from(contents.keys()) as [Digest, Digest, Digest];
  for (const digest of [a, b, a, c]) await cache.ensure(digest);
  expect(cache.stats).toEqual({ files: 2, bytes: 8 });
  expect((await readdir(path)).filter((name) => name !== "new").toSorted()).toEqual(
    [a, c].toSorted(),
  );
});
