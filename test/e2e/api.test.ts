/** The control API as its callers speak it: every protocol, and what each must refuse. */
import { createHash } from "node:crypto";
import { Code, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { publicServices } from "../../control/rpc/router.ts";
import { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { type App } from "../../proto/gen/ignite/v1/app_pb.ts";
import type { Ignite } from "../../sdk/client.ts";
import { appRef } from "../../sdk/names.ts";
import { clientOf, deploySource, newOrganization } from "../harness/apps.ts";
import { startPlatform, type TestPlatform } from "../harness/platform.ts";
import { reflectedServices } from "../harness/reflection.ts";

let platform: TestPlatform;
let local: Ignite;

const HELLO = appRef("local/hello");
const answering = (word: string) => `export default { fetch: () => new Response("${word}") };\n`;
const authorized = () => ({ authorization: `Bearer ${platform.key}` });

beforeAll(async () => {
  platform = await startPlatform();
  local = clientOf(platform);
  await deploySource(local, "local/hello", answering("one"));
  await deploySource(local, "local/hello", answering("two"));
});

afterAll(() => platform.dispose());

async function appNow(): Promise<App> {
  const { app } = await local.compute.getApp({ app: HELLO });
  if (app === undefined) throw new Error("no app");
  return app;
}

const TRANSPORTS = {
  "Connect with JSON": () =>
    createConnectTransport({ baseUrl: platform.url, httpVersion: "1.1", useBinaryFormat: false }),
  "Connect with binary messages": () =>
    createConnectTransport({ baseUrl: platform.url, httpVersion: "1.1", useBinaryFormat: true }),
  "gRPC-Web": () => createGrpcWebTransport({ baseUrl: platform.url, httpVersion: "1.1" }),
  "native gRPC": () => createGrpcTransport({ baseUrl: platform.grpcUrl }),
};

test.each(Object.entries(TRANSPORTS))("%s: calls, streams and errors", async (_name, transport) => {
  const client = createClient(ComputeService, transport());
  const headers = authorized();
  const { apps } = await client.listApps({}, { headers });
  expect(apps.map(({ fullName }) => fullName)).toEqual(["local/hello"]);
  const invoked = await client.invoke(
    { app: HELLO, request: { method: "GET", path: "/" } },
    { headers },
  );
  expect(Buffer.from(invoked.response?.body ?? []).toString()).toBe("two");
  const events: unknown[] = [];
  const streamed = { app: HELLO, request: { method: "GET", path: "/" } };
  for await (const { part } of client.invokeStream(streamed, { headers })) events.push(part.case);
  expect(events).toEqual(["head", "body"]);
  const missing = client.getApp({ app: appRef("local/nobody") }, { headers });
  await expect(missing).rejects.toMatchObject({ code: Code.NotFound });
  await expect(client.listApps({})).rejects.toMatchObject({ code: Code.Unauthenticated });
  const invalid = client.createApp({ name: "Not A Name" }, { headers });
  await expect(invalid).rejects.toMatchObject({ code: Code.InvalidArgument });
  await expect(invalid).rejects.toThrow(/name/);
});

test("native gRPC tells by reflection all that is needed to call it", async () => {
  const services = await reflectedServices(new URL(platform.grpcUrl).host);
  expect([...services.keys()].toSorted()).toEqual(
    publicServices.map(({ typeName }) => typeName).toSorted(),
  );
  const compute = services.get("ignite.v1.ComputeService");
  if (compute === undefined) throw new Error("no ComputeService");
  const client = createClient(compute, createGrpcTransport({ baseUrl: platform.grpcUrl }));
  const { getApp } = client as unknown as Record<string, (...call: object[]) => Promise<object>>;
  const answer = await getApp?.({ app: HELLO }, { headers: authorized() });
  expect(answer).toMatchObject({ app: { fullName: "local/hello" } });
});

test("plain curl can call it, and read what it is", async () => {
  const url = `${platform.url}/ignite.v1.ComputeService/GetApp`;
  const headers = { ...authorized(), "content-type": "application/json" };
  const body = JSON.stringify({ app: { name: "local/hello" } });
  const answer = await fetch(url, { method: "POST", headers, body });
  expect(await answer.json()).toMatchObject({ app: { fullName: "local/hello" } });
  const wrong = await fetch(url, { method: "POST", headers, body: "{" });
  expect(wrong.status).toBe(400);
  expect(await wrong.json()).toMatchObject({ code: "invalid_argument" });
  const { paths, openapi } = (await (await fetch(`${platform.url}/openapi.json`)).json()) as {
    paths: object;
    openapi: string;
  };
  expect(openapi).toMatch(/^3\./);
  expect(Object.keys(paths)).toContain("/ignite.v1.ComputeService/GetApp");
  const docs = await fetch(`${platform.url}/docs`);
  expect(docs.headers.get("content-type")).toContain("text/html");
  expect(await docs.text()).toContain("ComputeService");
});

test("blobs: whole, resumed in pieces, and never another organization's", async () => {
  const bytes = Buffer.from("a source of some sort ".repeat(1_000));
  const digest = createHash("sha256").update(bytes).digest("hex");
  const url = `${platform.url}/blobs/${digest}`;
  const headers = authorized();
  const put = (body: Uint8Array, more: Record<string, string> = {}) =>
    fetch(url, { method: "PUT", headers: { ...headers, ...more }, body: new Uint8Array(body) });
  expect((await put(Buffer.from("other bytes"))).status).toBe(422);
  expect((await fetch(url, { headers })).status).toBe(404);
  const half = bytes.length / 2;
  const piece = (from: number, to: number) => `bytes ${from}-${to - 1}/${bytes.length}`;
  const first = await put(bytes.subarray(0, half), { "content-range": piece(0, half) });
  expect([first.status, first.headers.get("range")]).toEqual([308, `bytes=0-${half - 1}`]);
  const asked = await fetch(url, { method: "HEAD", headers });
  expect(asked.headers.get("range")).toBe(`bytes=0-${half - 1}`);
  const rest = await put(bytes.subarray(half), { "content-range": piece(half, bytes.length) });
  expect(rest.status).toBe(201);
  expect((await put(bytes)).status).toBe(200);
  expect(Buffer.from(await (await fetch(url, { headers })).arrayBuffer())).toEqual(bytes);
  const range = await fetch(url, { headers: { ...headers, range: "bytes=2-7" } });
  expect([range.status, await range.text()]).toEqual([206, "source"]);
  expect((await fetch(url)).status).toBe(401);
  const { secret } = await clientOf(platform).admin.createOrganization({
    name: "r2",
    isolation: 1,
  });
  const theirs = { authorization: `Bearer ${secret}` };
  expect((await fetch(url, { headers: theirs })).status).toBe(404);
});

test("a stale etag changes nothing; of two publishes at once one wins", async () => {
  const { etag } = await appNow();
  await local.compute.updateApp({ app: HELLO, description: "newer", etag });
  const stale = local.compute.updateApp({ app: HELLO, description: "older", etag });
  await expect(stale).rejects.toMatchObject({ reason: "ETAG_MISMATCH" });
  expect((await appNow()).description).toBe("newer");
  const now = (await appNow()).etag;
  const publishes = await Promise.allSettled(
    [1, 2].map((version) => local.compute.publishVersion({ app: HELLO, version, etag: now })),
  );
  const lost = publishes.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
  expect(lost.map(({ reason }) => reason.reason)).toEqual(["ETAG_MISMATCH"]);
  const { activeVersion } = await appNow();
  const winner = publishes.findIndex(({ status }) => status === "fulfilled") + 1;
  expect(activeVersion).toBe(winner);
  const text = await (await fetch(`${platform.url}/@local/hello/`)).text();
  expect(text).toBe(winner === 1 ? "one" : "two");
});

test("publishes that race without an etag: who was told so is served", async () => {
  const publishes = await Promise.allSettled(
    [1, 2, 1, 2].map((version) => local.compute.publishVersion({ app: HELLO, version })),
  );
  const lost = publishes.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
  expect(lost.length).toBeLessThan(publishes.length);
  for (const { reason } of lost) expect(reason).toMatchObject({ reason: "ETAG_MISMATCH" });
  const { activeVersion } = await appNow();
  const text = await (await fetch(`${platform.url}/@local/hello/`)).text();
  expect(text).toBe(activeVersion === 1 ? "one" : "two");
});

test("an idempotency key makes a repeated call one call", async () => {
  const request = { name: "once", description: "x", idempotencyKey: "key-1" };
  const [first, second] = [
    await local.compute.createApp(request),
    await local.compute.createApp(request),
  ];
  expect(second.app?.id).toBe(first.app?.id);
  const other = local.compute.createApp({ ...request, description: "y" });
  await expect(other).rejects.toMatchObject({ reason: "IDEMPOTENCY_CONFLICT" });
  const again = local.compute.createApp({ name: "once" });
  await expect(again).rejects.toMatchObject({ reason: "APP_EXISTS" });
});

test("lists come in pages that lose and repeat nothing", async () => {
  const names = Array.from({ length: 7 }, (_, at) => `page-${at}`);
  for (const name of names) await local.compute.createApp({ name });
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await local.compute.listApps({ pageSize: 3, pageToken });
    expect(page.apps.length).toBeLessThanOrEqual(3);
    seen.push(...page.apps.map(({ name }) => name));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen.filter((name) => name.startsWith("page-")).toSorted()).toEqual(names);
  expect(new Set(seen).size).toBe(seen.length);
  const forged = local.compute.listApps({ pageToken: "bm8gc3VjaCBwYWdl" });
  await expect(forged).rejects.toMatchObject({ reason: "PAGE_TOKEN_INVALID" });
});

test("services of later releases answer that they are not there yet", async () => {
  for (const call of [
    () => local.model.listModels({}),
    () => local.build.listBuilds({}),
    () => local.secret.listSecrets({}),
    () => local.compute.invokeAsync({ app: HELLO, request: { method: "POST", path: "/" } }),
  ]) {
    await expect(call()).rejects.toMatchObject({
      code: "unimplemented",
      reason: "NOT_IMPLEMENTED",
    });
  }
});

test("no method answers a caller without a key or with another organization's", async () => {
  for (const { typeName, methods } of publicServices) {
    for (const method of methods.filter(({ methodKind }) => methodKind === "unary")) {
      const url = `${platform.url}/${typeName}/${method.name}`;
      const headers = { "content-type": "application/json" };
      const answer = await fetch(url, { method: "POST", headers, body: "{}" });
      expect(answer.status, method.name).toBe(401);
      await answer.body?.cancel();
    }
  }
  const stranger = (await newOrganization(platform, "stranger")).compute;
  for (const call of [
    () => stranger.getApp({ app: HELLO }),
    () => stranger.updateApp({ app: HELLO, description: "mine" }),
    () => stranger.deleteApp({ app: HELLO }),
    () => stranger.getDraft({ app: HELLO }),
    () => stranger.publishVersion({ app: HELLO, version: 1 }),
    () => stranger.rollback({ app: HELLO }),
    () => stranger.listVersions({ app: HELLO }),
    () => stranger.listExecutions({ app: HELLO }),
    () => stranger.createApp({ organization: "local", name: "mine" }),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: expect.stringMatching(/not_found|denied/) });
  }
});

test("addresses inside the platform are not reachable from outside", async () => {
  for (const path of ["/internal/deployments", "/internal/bootstrap", "/internal/executions"]) {
    for (const method of ["GET", "POST"]) {
      const answer = await fetch(platform.url + path, { method, headers: authorized() });
      expect(answer.status, path).toBe(404);
    }
  }
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    const anonymous = await fetch(platform.url + path);
    expect(anonymous.status, path).toBe(200);
    const answer = await fetch(platform.url + path, { headers: authorized() });
    expect(answer.status, path).toBe(200);
    expect(await answer.text(), path).not.toContain("igk_");
  }
});
