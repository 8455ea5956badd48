/** The bundled Worker in a real workerd, before a real store; edge and region are the test's. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createConnectTransport } from "@connectrpc/connect-web";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Control, startControl } from "../cli/platform/control.ts";
import { silentLog } from "../core/log.ts";
import { channelKey, planeTokenHeader, signPlaneToken } from "../core/plane-token.ts";
import { AdminService } from "../proto/gen/ignite/v1/admin_service_pb.ts";
import { ComputeService } from "../proto/gen/ignite/v1/compute_service_pb.ts";
import { VersionStatus } from "../proto/gen/ignite/v1/ignite_common_pb.ts";
import { KeyService } from "../proto/gen/ignite/v1/key_service_pb.ts";
import { RegionService } from "../proto/gen/ignite/v1/region_service_pb.ts";
import {
  socketFetch,
  startTemporaryStore,
  type TemporaryStore,
} from "../region/store/temporary-store.ts";
import { sha256Hex } from "./operations/hash.ts";

const ORIGIN = "http://localhost:8787";
const SOURCE = "x".repeat(3_000_000); // Large enough to be streamed
const masterKey = Buffer.alloc(32, 7);
const artifactDigest = "a".repeat(64);
const pushed: string[] = [];
const ends: (() => Promise<unknown>)[] = [];
let control: Control;
let store: TemporaryStore;
let folder: string;
let key: string;
let send: (request: Request) => Promise<Response>;
let sendInternal: (request: Request) => Promise<Response>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ignite-control-"));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  store = await startTemporaryStore();
  ends.push(() => store.close());
  await listen("region.sock", createServer(regionServer()));
  await listen("edge.sock", edgeServer());
  await listen(
    "front.sock",
    createServer((request, response) => response.end(request.headers.host)),
  );
  control = await startControl({
    folder,
    sockets: {
      public: join(folder, "control.sock"),
      internal: join(folder, "control-internal.sock"),
      store: store.options.socket,
      region: join(folder, "region.sock"),
      edge: join(folder, "edge.sock"),
      front: join(folder, "front.sock"),
    },
    storeToken: store.options.token,
    masterKey,
    domain: "localhost:8787",
    publicUrl: ORIGIN,
    openMetrics: false,
    log: silentLog,
  });
  ends.push(() => control.stop());
  send = connect("control.sock");
  sendInternal = connect("control-internal.sock");
  const answer = await internal("POST", "/internal/bootstrap");
  ({ key } = (await answer.json()) as { key: string });
});

afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

test("the Worker takes an app from source to traffic and back", async () => {
  const compute = createClient(ComputeService, transport());
  await compute.createApp({ name: "hello" });
  const app = { value: { case: "name", value: "local/hello" } } as const;
  const digest = await upload(SOURCE);
  const runtime = { language: { case: "deno", value: {} } } as const;
  const code = { kind: { case: "compile", value: { runtime, source: { digest } } } } as const;
  await compute.updateDraft({ app, code });
  const events: unknown[] = [];
  for await (const { event } of compute.compileDraft({ app })) {
    events.push(event.case === "version" ? event.value.status : event.case);
  }
  expect(events).toEqual([VersionStatus.COMPILING, "log", VersionStatus.READY]);
  expect((await compute.testDraft({ app })).passed).toBe(true);
  const published = await compute.publishVersion({ app });
  expect(published.app?.urls[0]).toBe("http://hello--local.localhost:8787/");
  expect(pushed.at(-1)).toContain('"traffic":[{"version":1,"weight":100}]');
  const { response } = await compute.invoke({ app, request: { path: "/x" } });
  expect(new TextDecoder().decode(response?.body)).toBe("hello--local.localhost:8787");
});

test("the Worker streams blobs back to their organization", async () => {
  const digest = await upload(SOURCE);
  const response = await api(`/blobs/${digest}`);
  expect(await response.text()).toBe(SOURCE);
  const head = await api(`/blobs/${digest}`, { method: "HEAD" });
  expect(head.headers.get("content-length")).toBe(String(SOURCE.length));
  const wrong = await api(`/blobs/${"b".repeat(64)}`, { method: "PUT", body: "other" });
  expect([wrong.status, wrong.headers.get("content-type")]).toEqual([
    422,
    "application/problem+json",
  ]);
});

test("the Worker takes no digest for having the bytes", async () => {
  const digest = await upload(SOURCE);
  const { secret } = await createClient(AdminService, transport()).createOrganization({
    name: "other",
  });
  const as = (init: RequestInit) =>
    send(
      new Request(`${ORIGIN}/blobs/${digest}`, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${secret}` },
      }),
    );
  expect((await as({ method: "PUT", body: "guess" })).status).toBe(422);
  const headers = { "content-range": `bytes */${SOURCE.length}` };
  expect((await as({ method: "PUT", headers, redirect: "manual" })).status).toBe(308);
  expect((await as({})).status).toBe(404);
  expect((await as({ method: "PUT", body: SOURCE })).status).toBe(200);
  expect((await as({ method: "HEAD" })).status).toBe(200);
});

test("the Worker answers health, metrics, documents and unknown paths", async () => {
  expect((await api("/healthz")).status).toBe(200);
  const parts = ["store", "edge", "region", "compiler"].map((name) => ({ name }));
  const readiness = { ready: true, components: parts };
  expect(await (await api("/readyz")).json()).toMatchObject(readiness);
  expect(await (await api("/metrics")).text()).toContain("ignite_control_requests_total");
  expect(await (await api("/openapi.json")).json()).toHaveProperty("paths");
  expect(await (await api("/docs")).text()).toContain("ComputeService");
  const unknown = await api("/nowhere");
  expect(unknown.headers.get("content-type")).toBe("application/problem+json");
  expect(await unknown.json()).toMatchObject({ status: 404, reason: "NOT_FOUND" });
});

test("the Worker says what is wrong with a body in every protocol", async () => {
  const garbage = new Uint8Array([0, 0, 0, 0, 2, 0xff, 0xff]);
  for (const [method, type] of [
    ["CreateApp", "application/proto"],
    ["CreateApp", "application/grpc-web+proto"],
    ["TailLogs", "application/connect+proto"],
  ]) {
    const init = { method: "POST", headers: { "content-type": String(type) }, body: garbage };
    const answer = await api(`/ignite.v1.ComputeService/${method}`, init);
    const told = (answer.headers.get("ignite-reason") ?? "") + (await answer.text());
    expect(told, type).toContain("INVALID_ARGUMENT");
  }
});

test("the Worker gives the feed, artifacts and tasks to planes only", async () => {
  const feed = (await (await internal("GET", "/internal/deployments")).json()) as {
    items: { kind: string }[];
  };
  expect(feed.items.map(({ kind }) => kind)).toContain("organization");
  expect((await internal("POST", "/internal/tasks/collect-blobs")).status).toBe(200);
  const record = {
    id: "exe_1",
    app: "local/hello",
    version: 1,
    method: "GET",
    path: "/",
    status: 200,
  };
  const timing = { outcome: "succeeded", startedMs: 1, durationMs: 2, cold: true };
  const body = JSON.stringify({ boot: "b", batch: 0, records: [{ ...record, ...timing }] });
  expect((await internal("POST", "/internal/executions", body)).status).toBe(200);
  const read = (await (await api("/executions/exe_1")).json()) as { status: string };
  expect(read.status).toBe("EXECUTION_STATUS_SUCCEEDED");
  const anonymous = new Request("http://control/internal/deployments");
  expect((await sendInternal(anonymous)).status).toBe(401);
  expect((await api("/internal/deployments")).status).toBe(404);
});

test("the Worker keeps its rows when its process dies", async () => {
  const pid = control.pid();
  process.kill(pid ?? 0, "SIGKILL");
  await expect.poll(() => control.restarts()).toBe(1);
  await expect
    .poll(() =>
      api("/healthz").then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(200);
  const { key: own } = await createClient(KeyService, transport()).whoAmI({});
  expect(own?.operator).toBe(true);
});

function transport() {
  return createConnectTransport({
    baseUrl: ORIGIN,
    fetch: (input, init) => api(String(input).slice(ORIGIN.length), init),
  });
}

function api(path: string, init?: RequestInit): Promise<Response> {
  const request = new Request(ORIGIN + path, init);
  request.headers.set("authorization", `Bearer ${key}`);
  return send(request);
}

async function internal(method: string, path: string, body?: string): Promise<Response> {
  const plane = await channelKey(new Uint8Array(masterKey), "control");
  const token = await signPlaneToken(plane, { aud: "control", method, path }, Date.now());
  const init = body === undefined ? { method } : { method, body };
  const request = new Request(`http://control${path}`, init);
  request.headers.set(planeTokenHeader, token);
  return sendInternal(request);
}

async function upload(text: string): Promise<string> {
  const digest = await sha256Hex(text);
  const response = await api(`/blobs/${digest}`, { method: "PUT", body: text });
  expect(response.ok).toBe(true);
  return digest;
}

function connect(name: string): (request: Request) => Promise<Response> {
  const socket = socketFetch(join(folder, name));
  ends.push(() => socket.close());
  return socket.send;
}

async function listen(name: string, server: Server): Promise<void> {
  await new Promise<void>((done) => server.listen(join(folder, name), done));
  ends.push(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
}

function regionServer() {
  return connectNodeAdapter({
    routes: (router) =>
      router.service(RegionService, {
        async *compile() {
          yield { event: { case: "log", value: { text: "bundled", sequence: 1n } } };
          yield { event: { case: "result", value: { artifactDigest, sizeBytes: 5n } } };
        },
      }),
  });
}

function edgeServer(): Server {
  return createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      if (request.url === "/v1/documents") {
        const { documents } = JSON.parse(text) as { documents: { body: string }[] };
        pushed.push(...documents.map(({ body }) => body));
      }
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ ok: true, loadMs: 1, answers: [] }));
    });
  });
}
