/** What callers of an app see over HTTP, through the front: bodies, sockets, hosts, policies. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AccessPolicy } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { Sticky_Mode } from "../../proto/gen/ignite/v1/app_pb.ts";
import type { Ignite } from "../../sdk/client.ts";
import { appRef } from "../../sdk/names.ts";
import { clientOf, deploySource, newOrganization } from "../harness/apps.ts";
import { startPlatform, type TestPlatform, until } from "../harness/platform.ts";

const KIT = `
const seen = { aborted: 0, waiting: 0 };
const upper = () => new TransformStream<string, string>({
  transform(piece, out) { out.enqueue(piece.toUpperCase()); },
});
export default { async fetch(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/upper") {
    const body = request.body!.pipeThrough(new TextDecoderStream()).pipeThrough(upper());
    return new Response(body.pipeThrough(new TextEncoderStream()));
  }
  if (pathname === "/hang") {
    seen.waiting++;
    await new Promise<void>((done) => {
      setTimeout(done, 25_000);
      request.signal.addEventListener("abort", () => {
        seen.aborted++;
        done();
      });
    });
    return new Response("late");
  }
  if (pathname === "/trickle") {
    request.signal.addEventListener("abort", () => seen.aborted++);
    return new Response(new ReadableStream({ async pull(out) {
      out.enqueue(new TextEncoder().encode("drop\\n"));
      await new Promise((done) => setTimeout(done, 20));
    } }));
  }
  if (pathname === "/events") {
    const last = request.headers.get("last-event-id") ?? "none";
    return new Response(new ReadableStream({ start(out) {
      out.enqueue(new TextEncoder().encode("id: 7\\ndata: after " + last + "\\n\\n"));
    } }), { headers: { "content-type": "text/event-stream" } });
  }
  if (pathname === "/socket") {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send("echo " + data);
    return response;
  }
  if (pathname === "/seen") return Response.json(seen);
  return Response.json({
    method: request.method, path: pathname, body: await request.text(),
    headers: Object.fromEntries(request.headers),
  }, { headers: { "x-kit": "1" } });
} };
`;

const answering = (word: string) => `export default { fetch: () => new Response("${word}") };\n`;

let platform: TestPlatform;
let local: Ignite;
let kit: string;

beforeAll(async () => {
  platform = await startPlatform();
  local = clientOf(platform);
  await deploySource(local, "local/kit", KIT);
  kit = `${platform.url}/@local/kit`;
});

afterAll(() => platform.dispose());

/** Sends a request with any Host header; the answer's body is not read yet. */
async function send(
  host: string,
  options: { method?: string; path?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<IncomingMessage> {
  const { port } = new URL(platform.url);
  const { method = "GET", path = "/", headers = {}, body } = options;
  const call = request({ host: "127.0.0.1", port, path, method, headers: { host, ...headers } });
  call.end(body);
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  return answer;
}

const seen = async () =>
  (await (await fetch(`${kit}/seen`)).json()) as { aborted: number; waiting: number };

test("bodies stream both ways: the answer's bytes come before the request's end", async () => {
  const { port } = new URL(platform.url);
  const call = request({ host: "127.0.0.1", port, path: "/@local/kit/upper", method: "POST" });
  call.write("first ");
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  answer.setEncoding("utf8");
  const pieces = answer[Symbol.asyncIterator]();
  expect((await pieces.next()).value).toBe("FIRST ");
  call.end("second");
  expect((await pieces.next()).value).toBe("SECOND");
  expect((await pieces.next()).done).toBe(true);
});

test("a caller that waits for 100 Continue is told to send, also when the answer streams", async () => {
  const { port } = new URL(platform.url);
  const headers = { expect: "100-continue", "content-length": "6" };
  const path = "/@local/kit/upper";
  const call = request({ host: "127.0.0.1", port, path, method: "POST", headers });
  call.flushHeaders();
  await once(call, "continue");
  call.end("upload");
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  expect(await text(answer)).toBe("UPLOAD");
});

test("a caller that leaves aborts request.signal, before the answer and during it", async () => {
  const before = await seen();
  const leaving = new AbortController();
  const waiting = fetch(`${kit}/hang`, { signal: leaving.signal }).catch(() => "left");
  await until("it waits", async () => (await seen()).waiting > before.waiting);
  leaving.abort();
  expect(await waiting).toBe("left");
  await until("the abort", async () => (await seen()).aborted === before.aborted + 1, 10_000);
  const reading = new AbortController();
  const trickle = await fetch(`${kit}/trickle`, { signal: reading.signal });
  await trickle.body?.getReader().read();
  reading.abort();
  await until("the next abort", async () => (await seen()).aborted === before.aborted + 2, 10_000);
});

test("WebSockets and server-sent events pass the front", async () => {
  const socket = new WebSocket(`${kit.replace("http", "ws")}/socket`);
  const opened = once(socket, "open");
  await opened;
  const message = once(socket, "message") as Promise<[MessageEvent]>;
  socket.send("hello");
  expect((await message)[0].data).toBe("echo hello");
  const closed = once(socket, "close");
  socket.close(1000);
  await closed;
  const events = await fetch(`${kit}/events`, { headers: { "last-event-id": "6" } });
  const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader?.read())?.value).toBe("id: 7\ndata: after 6\n\n");
  await reader?.cancel();
});

test("HEAD has headers and no body; OPTIONS, PATCH and unusual methods reach the app", async () => {
  const head = await fetch(kit, { method: "HEAD" });
  expect(head.status).toBe(200);
  expect(head.headers.get("x-kit")).toBe("1");
  expect(await head.text()).toBe("");
  for (const method of ["OPTIONS", "PATCH", "DELETE", "PROPFIND"]) {
    const answer = await send("kit--local.localhost", { method, path: "/a?b=c" });
    expect(answer.statusCode, method).toBe(200);
    expect(JSON.parse(await text(answer))).toMatchObject({ method, path: "/a" });
  }
});

test("the path form hides its prefix, in the host form there is none", async () => {
  const byPath = (await (await fetch(`${kit}/x/y?z=1`)).json()) as { headers: object };
  expect(byPath).toMatchObject({ path: "/x/y", headers: { "x-forwarded-prefix": "/@local/kit" } });
  const byHost = JSON.parse(await text(await send("kit--local.localhost", { path: "/x/y" })));
  expect(byHost).toMatchObject({ path: "/x/y" });
  expect(byHost.headers).not.toHaveProperty("x-forwarded-prefix");
});

test("a custom domain leads to its app until it is taken away", async () => {
  const app = appRef("local/kit");
  const names = ["kit.example.test"];
  await local.compute.updateApp({ app, domains: { names } });
  const answer = await send("kit.example.test", { path: "/there" });
  expect(JSON.parse(await text(answer))).toMatchObject({ path: "/there" });
  const other = await newOrganization(platform, "domains");
  await deploySource(other, "domains/thief", answering("mine"));
  const theft = other.compute.updateApp({ app: appRef("domains/thief"), domains: { names } });
  await expect(theft).rejects.toMatchObject({ reason: "DOMAIN_TAKEN" });
  await local.compute.updateApp({ app, domains: { names: [] } });
  const gone = await send("kit.example.test");
  expect(gone.statusCode).toBe(404);
  expect(JSON.parse(await text(gone))).toMatchObject({ reason: "APP_NOT_FOUND" });
});

test("a split with cookies keeps a caller on one version; previews ask for any", async () => {
  const app = appRef("local/split");
  await deploySource(local, "local/split", answering("one"));
  await deploySource(local, "local/split", answering("two"));
  const traffic = [1, 2].map((version) => ({ version, weightPercent: 50 }));
  await local.compute.setTraffic({ app, traffic, sticky: { mode: Sticky_Mode.COOKIE } });
  const words = new Set<string>();
  for (let caller = 0; caller < 12; caller += 1) {
    const first = await fetch(`${platform.url}/@local/split/`);
    const word = await first.text();
    const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect(cookie).toMatch(/^ignite-sticky=\d+$/);
    for (let again = 0; again < 5; again += 1) {
      const next = await fetch(`${platform.url}/@local/split/`, { headers: { cookie } });
      expect(await next.text()).toBe(word);
      expect(next.headers.get("set-cookie")).toBeNull();
    }
    words.add(word);
  }
  expect(words.size).toBe(2);
  for (const [version, word] of [
    ["v1", "one"],
    ["v2", "two"],
  ] as const) {
    expect(await text(await send(`${version}--split--local.localhost`))).toBe(word);
  }
  expect((await send("v3--split--local.localhost")).statusCode).toBe(404);
});

test("an app for key holders refuses everybody else, in the path form and the host form", async () => {
  const app = appRef("local/closed");
  await deploySource(local, "local/closed", answering("inside"));
  await local.compute.updateApp({ app, access: { policy: AccessPolicy.KEY } });
  const stranger = await newOrganization(platform, "strangers");
  const { secret } = await stranger.keys.createKey({ name: "theirs", role: 1 });
  const cases = [
    [undefined, 401, "CREDENTIAL_MISSING"],
    ["igk_nonsense", 401, "CREDENTIAL_INVALID"],
    [secret, 401, "CREDENTIAL_INVALID"],
    [platform.key, 200, undefined],
  ] as const;
  for (const [key, status, reason] of cases) {
    const headers: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};
    for (const answer of [
      await send("closed--local.localhost", { headers }),
      await send("localhost", { path: "/@local/closed/", headers }),
    ]) {
      expect(answer.statusCode, String(reason)).toBe(status);
      const body = await text(answer);
      if (reason === undefined) expect(body).toBe("inside");
      else expect(JSON.parse(body)).toMatchObject({ status, reason });
    }
  }
});

test("Server-Timing comes to who asks for it", async () => {
  const asked = await fetch(kit, { headers: { "ignite-timing": "1" } });
  expect(asked.headers.get("server-timing")).toMatch(/route;dur=[\d.]+, (start|guest);dur=[\d.]+/);
  expect(asked.headers.get("ignite-version")).toBe("1");
  expect((await fetch(kit)).headers.get("server-timing")).toBeNull();
});

test("headers of the platform cannot be forged", async () => {
  const forged = {
    "ignite-request-id": "forged",
    "ignite-hops": "3",
    "ignite-app": "other/app",
    "x-forwarded-for": "192.0.2.1",
    "x-forwarded-host": "bank.example",
    "x-forwarded-prefix": "/bank",
    forwarded: "for=192.0.2.1",
  };
  const answer = await send("kit--local.localhost", { headers: forged });
  const { headers } = JSON.parse(await text(answer)) as { headers: Record<string, string> };
  expect(answer.headers["ignite-request-id"]).not.toBe("forged");
  expect(headers["ignite-request-id"] ?? "").not.toContain("forged");
  expect(headers).not.toHaveProperty("ignite-app");
  expect(headers["x-forwarded-for"]).toBe("127.0.0.1");
  for (const name of ["x-forwarded-host", "x-forwarded-prefix", "forwarded"]) {
    expect(headers, name).not.toHaveProperty(name);
  }
  const beyond = await send("kit--local.localhost:65536");
  expect([beyond.statusCode, JSON.parse(await text(beyond)).reason]).toEqual([400, "HOST_INVALID"]);
});

test("no app becomes the service worker of the origin that all share by path", async () => {
  const headers = { "service-worker": "script" };
  expect((await send("localhost", { path: "/@local/kit/", headers })).statusCode).toBe(403);
  expect((await send("kit--local.localhost", { headers })).statusCode).toBe(200);
});

test("an app is never run for who wants to be answered later", async () => {
  const headers = { prefer: "wait=1, respond-async" };
  const answer = await send("kit--local.localhost", { headers });
  expect(answer.statusCode).toBe(501);
  expect(JSON.parse(await text(answer))).toMatchObject({ reason: "NOT_IMPLEMENTED" });
  expect((await send("localhost", { path: "/@local/kit/", headers })).statusCode).toBe(501);
  expect((await send("localhost", { path: "/healthz", headers })).statusCode).toBe(200);
});

test("what cannot be answered is a problem document that names the request", async () => {
  for (const [host, path, status, reason] of [
    ["nobody--local.localhost", "/", 404, "APP_NOT_FOUND"],
    ["localhost", "/@local/nobody/", 404, "APP_NOT_FOUND"],
    ["localhost", "/@nobody", 404, "APP_NOT_FOUND"],
    ["localhost", "/nothing/here", 404, "NOT_FOUND"],
    ["unknown.example.test", "/", 404, "APP_NOT_FOUND"],
  ] as const) {
    const answer = await send(host, { path });
    expect(answer.statusCode, host + path).toBe(status);
    expect(answer.headers["content-type"], host + path).toBe("application/problem+json");
    const problem = JSON.parse(await text(answer));
    const instance = answer.headers["ignite-request-id"];
    const type = `https://ignite.dev/errors/${reason.toLowerCase().replaceAll("_", "-")}`;
    expect(problem, host + path).toMatchObject({ status, type, instance });
  }
});
