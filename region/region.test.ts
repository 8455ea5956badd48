import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { packTree } from "../compiler/pack-tree.ts";
import { decodeBundle } from "../core/bundle.ts";
import { silentLog } from "../core/log.ts";
import { channelKey, planeTokenHeader, signPlaneToken } from "../core/plane-token.ts";
import { RegionService } from "../proto/gen/ignite/v1/region_service_pb.ts";
import { type Region, startRegion } from "./daemon.ts";
import { socketFetch, startTemporaryStore, type TemporaryStore } from "./store/temporary-store.ts";

const master = randomBytes(32);
let root: string;
let store: TemporaryStore;
let region: Region;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "ignite-region-"));
  store = await startTemporaryStore();
  region = await startRegion(
    {
      socket: join(root, "region.sock"),
      storeSocket: store.options.socket,
      storeToken: store.options.token,
      planeKey: master.toString("base64"),
      dataDir: join(root, "data"),
      unsandboxed: true,
    },
    silentLog,
  );
});

afterAll(async () => {
  await region?.close();
  await store?.close();
  await rm(root, { recursive: true, force: true });
});

function client(withToken = true) {
  const sign: Interceptor = (next) => async (request) => {
    const { pathname: path } = new URL(request.url);
    const key = await channelKey(new Uint8Array(master), "region");
    const token = await signPlaneToken(key, { aud: "region", method: "POST", path }, Date.now());
    if (withToken) request.header.set(planeTokenHeader, token);
    return next(request);
  };
  const transport = createConnectTransport({
    baseUrl: "http://region",
    httpVersion: "1.1",
    nodeOptions: { socketPath: join(root, "region.sock") },
    interceptors: [sign],
  });
  return createClient(RegionService, transport);
}

async function health(token: string): Promise<Response> {
  const socket = socketFetch(join(root, "region.sock"));
  try {
    const headers = { [planeTokenHeader]: token };
    const answer = await socket.send(new Request("http://region/healthz", { headers }));
    return new Response(await answer.text(), answer);
  } finally {
    await socket.close();
  }
}

async function upload(files: Record<string, string>): Promise<string> {
  const bytes = await packTree(files);
  const digest = createHash("sha256").update(bytes).digest("hex");
  const answer = await store.fetch(`/blobs/${digest}`, {
    method: "PUT",
    body: new Uint8Array(bytes),
  });
  expect(answer.status).toBeLessThan(300);
  return digest;
}

async function collect<Item>(stream: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

function request(digest: string, version = "0".repeat(26)) {
  return {
    versionId: `ver_${version}`,
    organizationId: `org_${"0".repeat(26)}`,
    app: "acme/hello",
    code: {
      source: { digest },
      runtime: { language: { case: "deno" as const, value: {} } },
    },
  };
}

test("GET /healthz says how the compiler is, to planes only", async () => {
  const key = await channelKey(new Uint8Array(master), "region");
  const call = { aud: "region" as const, method: "GET", path: "/healthz" };
  expect((await health("")).status).toBe(401);
  await expect
    .poll(async () => {
      const answer = await health(await signPlaneToken(key, call, Date.now()));
      return ((await answer.json()) as { compiler: { state: string } }).compiler.state;
    })
    .toBe("ready");
});

test("Compile streams progress and uploads an artifact that can be read", async () => {
  const digest = await upload({
    "main.ts": 'export default { fetch(): Response { return new Response("hello"); } };',
  });
  const events = await collect(client().compile(request(digest)));
  const last = events.at(-1)?.event;
  expect(last?.case).toBe("result");
  const artifact = last?.case === "result" ? last.value.artifactDigest : "";
  const blob = await (await store.fetch(`/blobs/${artifact}`)).arrayBuffer();
  expect(decodeBundle(blob).index.main).toBe("main.js");
  expect(events.some((each) => each.event.case === "progress")).toBe(true);
  expect(await readdir(join(root, "data", "work"))).toEqual([]);
});

test("Compile answers diagnostics with places, then the failure", async () => {
  const digest = await upload({
    "main.ts": 'import { x } from "./missing.ts";\nconsole.log(x);\n',
  });
  const events = await collect(client().compile(request(digest)));
  const found = events.find((each) => each.event.case === "diagnostic")?.event;
  expect(found?.value).toMatchObject({
    code: "UNRESOLVED_IMPORT",
    file: "main.ts",
    line: 1,
    column: 19,
  });
  expect(events.at(-1)?.event).toMatchObject({
    case: "failure",
    value: { reason: "COMPILE_FAILED" },
  });
});

test("Compile with the same version id joins the one that runs", async () => {
  const digest = await upload({ "main.ts": "export default { fetch: () => new Response() };" });
  const both = await Promise.all([1, 2].map(() => collect(client().compile(request(digest)))));
  expect(both[0]?.at(-1)?.event).toEqual(both[1]?.at(-1)?.event);
});

test("Compile ends, and leaves nothing behind, when its caller leaves", async () => {
  const digest = await upload({
    "main.ts": "export default { fetch: () => new Response() };",
    "ignite.toml": "[build]\ncheck = true\n", // Takes long enough
  });
  const controller = new AbortController();
  const call = client().compile(request(digest), { signal: controller.signal });
  const leaving = (async () => {
    for await (const { event } of call) {
      if (event.case === "progress" && event.value.phase === "bundle") controller.abort();
    }
  })();
  await expect(leaving).rejects.toMatchObject({ code: Code.Canceled });
  const work = join(root, "data", "work");
  await expect.poll(() => readdir(work)).toEqual([]);
  const again = await collect(client().compile(request(digest)));
  expect(again.at(-1)?.event.case).toBe("result");
});

test("Compile of what takes long to look at ends with its time, and holds up nobody", async () => {
  const globs = Array.from({ length: 256 }, (_, at) => `*${"a".repeat(100)}${at}b`);
  const names = Array.from({ length: 2_000 }, (_, at) => `${"a".repeat(240)}${at}`);
  const costly = await upload({
    ...Object.fromEntries(names.map((name) => [name, ""])),
    "ignite.toml": `[build]\nassets = ${JSON.stringify(globs)}\n`,
  });
  const digest = await upload({ "main.ts": "export default { fetch: () => new Response('2') };" });
  const long = { ...request(costly, "1".repeat(26)), timeoutMs: 3_000 };
  const looking = collect(client().compile(long));
  const other = { ...request(digest, "2".repeat(26)), organizationId: `org_${"1".repeat(26)}` };
  const events = await collect(client().compile(other));
  expect(events.at(-1)?.event.case).toBe("result");
  const last = (await looking).at(-1)?.event;
  expect(last).toMatchObject({ case: "failure", value: { reason: "COMPILE_TIMED_OUT" } });
});

test("Compile refuses what this release does not run", async () => {
  const { code, ...rest } = request("a".repeat(64));
  const language = { case: "python" as const, value: {} };
  const call = collect(client().compile({ ...rest, code: { ...code, runtime: { language } } }));
  await expect(call).rejects.toMatchObject({ code: Code.Unimplemented });
});

test("Compile of what is no archive says so", async () => {
  const bytes = new TextEncoder().encode("hello");
  const digest = createHash("sha256").update(bytes).digest("hex");
  await store.fetch(`/blobs/${digest}`, { method: "PUT", body: bytes });
  const last = (await collect(client().compile(request(digest, "3".repeat(26))))).at(-1)?.event;
  expect(last).toMatchObject({ case: "failure", value: { reason: "ARCHIVE_REJECTED" } });
  expect(last?.value).toMatchObject({ message: expect.stringMatching(/Pack it again\.$/) });
});

test("Compile of a source that was never uploaded fails with SOURCE_MISSING, untold to operators", async () => {
  const error = vi.spyOn(silentLog, "error");
  const events = await collect(client().compile(request("a".repeat(64))));
  expect(events.at(-1)?.event).toMatchObject({ value: { reason: "SOURCE_MISSING" } });
  expect(error).not.toHaveBeenCalled();
  error.mockRestore();
});

test("Calls without a plane token are turned away", async () => {
  const call = collect(client(false).compile(request("a".repeat(64))));
  await expect(call).rejects.toMatchObject({ code: Code.Unauthenticated });
});

test("Methods of later releases answer unimplemented", async () => {
  await expect(client().ensureInstance({})).rejects.toMatchObject({ code: Code.Unimplemented });
});
