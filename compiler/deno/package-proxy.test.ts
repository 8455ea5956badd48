import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPackageProxy } from "./package-proxy.ts";

let registry: Server;
let host: string;
let folder: string;
let proxy: AsyncDisposable;
const calls: [string, boolean][] = [];

beforeAll(async () => {
  registry = createServer((got, response) => {
    if (got.url === "/away") return void response.writeHead(302, { location: "/else" }).end();
    response.end(`${got.method} ${got.url} ${got.headers.host}`);
  }).listen(0, "127.0.0.1");
  await once(registry, "listening");
  host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
  folder = await mkdtemp(join(tmpdir(), "ignite-proxy-test-"));
  proxy = await startPackageProxy({
    socket: join(folder, "s"),
    hosts: [host],
    onCall: (name, allowed) => calls.push([name, allowed]),
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  registry.close();
  await rm(folder, { recursive: true, force: true });
});

/** A request in absolute form, as deno sends it. */
async function ask(path: string, method = "GET", socket = "s") {
  const call = request({ socketPath: join(folder, socket), path, method });
  call.end();
  const [response] = await once(call, "response");
  return { status: response.statusCode, text: await text(response) };
}

test("startPackageProxy() forwards reads of a registry, with its own Host", async () => {
  const path = `http://${host}/pkg`;
  expect(await ask(path)).toEqual({ status: 200, text: `GET /pkg ${host}` });
  expect(calls.at(-1)).toEqual([host, true]);
});

test("startPackageProxy() hands redirects back instead of following them", async () => {
  expect((await ask(`http://${host}/away`)).status).toBe(302);
});

test.each([
  ["another host", "http://127.0.0.1:1/x", "GET"],
  ["a write", "", "PUT"],
  ["another protocol", "ftp://127.0.0.1/x", "GET"],
  ["no address", "/x", "GET"],
])("startPackageProxy() refuses %s", async (_, path, method) => {
  const answer = await ask(path === "" ? `http://${host}/pkg` : path, method);
  expect(answer).toEqual({ status: 403, text: "" });
});

test("startPackageProxy() lets nothing through of the npm registry's host but packages", async () => {
  const socket = join(folder, "n");
  const npmRegistry = `http://${host}/npm/open`;
  const own = await startPackageProxy({ socket, hosts: [host], npmRegistry, onCall() {} });
  const paths = [
    "/npm/open/@a%2fb",
    "/files/a.tgz",
    "/npm/secret/a",
    "/npm/open/..%2fsecret/a",
    "/",
  ];
  const statuses = paths.map(
    async (path) => (await ask(`http://${host}${path}`, "GET", "n")).status,
  );
  expect(await Promise.all(statuses)).toEqual([200, 200, 403, 403, 403]);
  await own[Symbol.asyncDispose]();
});

test("startPackageProxy() answers 502 when a registry is gone", async () => {
  const port = await freePort();
  const gone = await startPackageProxy({
    socket: join(folder, "g"),
    hosts: [`127.0.0.1:${port}`],
    onCall() {},
  });
  const call = request({ socketPath: join(folder, "g"), path: `http://127.0.0.1:${port}/` }).end();
  const [response] = await once(call, "response");
  expect(response.statusCode).toBe(502);
  response.resume();
  await gone[Symbol.asyncDispose]();
});

/** A port that nobody listens on any more. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
