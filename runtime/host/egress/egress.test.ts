import { once } from "node:events";
import { createServer, type RequestListener, request } from "node:http";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test, vi } from "vitest";
import { hopsMax } from "../../../core/limits.ts";
import type { EgressOptions } from "./egress.ts";
import { type TestEgress, type TestServer, testEgress, testServer } from "./testing.ts";

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function calling(
  listener: RequestListener,
  options: Partial<EgressOptions> = {},
): Promise<{ sandbox: TestEgress; server: TestServer; url: string }> {
  const server = await testServer(listener);
  const sandbox = await testEgress({ allow: [`127.0.0.1:${server.port}`], ...options });
  cleanups.push(server.stop, sandbox.stop);
  return { sandbox, server, url: `http://127.0.0.1:${server.port}` };
}

test("a request arrives with the guest's method, path, headers and body, and nothing of ours", async () => {
  const { sandbox, url } = await calling(async (request, response) => {
    const body = await text(request);
    const { method, url: path, headers } = request;
    response.end(JSON.stringify({ method, path, headers, body }));
  });
  const answer = await sandbox.call({
    url: `${url}/a/b?c=d`,
    method: "POST",
    body: "hello",
    headers: { "x-guest": "1", connection: "x-secret-hop", "x-secret-hop": "1" },
  });
  const seen = JSON.parse(answer.body);
  expect(seen).toMatchObject({ method: "POST", path: "/a/b?c=d", body: "hello" });
  expect(seen.headers).toMatchObject({ "x-guest": "1", host: new URL(url).host });
  const ours = Object.keys(seen.headers).filter((name) => /^ignite-|^x-secret/.test(name));
  expect(ours).toEqual([]);
});

test("an answer keeps its status, duplicates and encoding, and cannot speak for us", async () => {
  const packed = gzipSync("hello");
  const { sandbox, url } = await calling((_request, response) => {
    response.writeHead(418, [
      ...["set-cookie", "a=1", "set-cookie", "b=2"],
      ...["content-encoding", "gzip", "ignite-egress-error", "EGRESS_DENIED"],
    ]);
    response.end(packed);
  });
  const answer = await sandbox.open({ url: `${url}/`, headers: { "accept-encoding": "gzip" } });
  expect(answer.statusCode).toBe(418);
  expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
  expect(answer.headers["ignite-egress-error"]).toBeUndefined();
  const chunks: Buffer[] = await answer.toArray();
  expect(Buffer.concat(chunks).equals(packed)).toBe(true);
});

test("an answer streams: its first part arrives while the rest is not there yet", async () => {
  const { promise: more, resolve: sendMore } = Promise.withResolvers<void>();
  const { sandbox, url } = await calling(async (_request, response) => {
    response.write("first");
    await more;
    response.end("second");
  });
  const answer = await sandbox.open({ url: `${url}/` });
  const [first] = (await once(answer, "data")) as [Buffer];
  expect(first.toString()).toBe("first");
  sendMore();
  expect(await text(answer)).toBe("second");
});

test("a cell that does not read stops the other side from sending", async () => {
  const total = 256 * 1024 * 1024;
  let sent = 0;
  const { sandbox, url } = await calling((_request, response) => {
    const chunk = Buffer.alloc(64 * 1024);
    const fill = () => {
      while (sent < total && !response.destroyed) {
        sent += chunk.length;
        if (!response.write(chunk)) return response.once("drain", fill);
      }
      return response.end();
    };
    fill();
  });
  const answer = await sandbox.open({ url: `${url}/` });
  answer.pause();
  let before = -1;
  await vi.waitFor(
    () => {
      const stalled = sent === before;
      before = sent;
      expect(stalled).toBe(true);
    },
    { interval: 100, timeout: 15_000 },
  );
  expect(sent).toBeLessThan(total / 4);
  answer.destroy();
});

test("a cell that goes away ends the request at the other side", async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const { sandbox, url } = await calling((request, response) => {
    request.once("close", resolve);
    response.write("first");
  });
  const answer = await sandbox.open({ url: `${url}/` });
  answer.on("error", () => {}).destroy();
  await closed;
  await expect.poll(() => sandbox.egress.counters()["local/test"]?.active).toBe(0);
});

test("nobody there is EGRESS_FAILED, and the cell's connection stays good", async () => {
  const { sandbox, server, url } = await calling((_request, response) => response.end());
  await server.stop();
  const answer = await sandbox.call({ url: `${url}/`, method: "POST", body: "x".repeat(100_000) });
  expect(answer.status).toBe(502);
  expect(JSON.parse(answer.body)).toMatchObject({ reason: "EGRESS_FAILED", status: 502 });
});

test("a connection that breaks off in the middle of an answer breaks off the cell's answer", async () => {
  const { sandbox, url } = await calling((_request, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half", () => response.destroy());
  });
  const answer = await sandbox.open({ url: `${url}/` });
  await expect(text(answer)).rejects.toThrow();
});

test("silence for too long is EGRESS_FAILED", async () => {
  const { sandbox, url } = await calling(() => {}, { idleTimeoutMs: 50 });
  const answer = await sandbox.call({ url: `${url}/` });
  expect(JSON.parse(answer.body)).toMatchObject({ reason: "EGRESS_FAILED" });
});

test("an app over its limits is told OVERLOADED, and another is not", async () => {
  const limits = { concurrencyMax: 1, perSecondMax: 2 };
  const waiting: (() => void)[] = [];
  const { sandbox, url } = await calling(
    (_request, response) => waiting.push(() => response.end("done")),
    { limits },
  );
  const first = sandbox.call({ url: `${url}/` });
  await expect.poll(() => waiting).toHaveLength(1);
  const second = await sandbox.call({ url: `${url}/` });
  expect([second.status, second.headers["ignite-egress-error"]]).toEqual([429, "OVERLOADED"]);
  const other = sandbox.call({ url: `${url}/`, headers: { "ignite-app": "local/other" } });
  await expect.poll(() => waiting).toHaveLength(2);
  for (const finish of waiting) finish();
  expect([(await first).body, (await other).body]).toEqual(["done", "done"]);
});

test("an answer over the limit is cut off", async () => {
  const { sandbox, url } = await calling((_request, response) => response.end("x".repeat(1_000)), {
    responseBytesMax: 999,
  });
  const answer = await sandbox.open({ url: `${url}/` });
  await expect(text(answer)).rejects.toThrow();
});

test("too many headers are refused", async () => {
  const { sandbox, url } = await calling((_request, response) => response.end());
  const names = Array.from({ length: 300 }, (_, i) => [`x-${i}`, "1"]);
  const answer = await sandbox.call({ url: `${url}/`, headers: Object.fromEntries(names) });
  expect(answer.status).toBe(403);
});

test("what apps do is counted", async () => {
  const { sandbox, url } = await calling((request, response) => request.pipe(response));
  await sandbox.call({ url: `${url}/`, method: "POST", body: "12345" });
  await sandbox.call({ url: "http://10.0.0.1/" });
  await expect
    .poll(() => sandbox.egress.counters())
    .toEqual({
      "local/test": {
        requests: 2,
        denied: 1,
        limited: 0,
        failed: 0,
        bytesSent: 5,
        bytesReceived: 5,
        active: 0,
      },
    });
});

test("a host of the platform goes to the front, one hop further, and is never resolved", async () => {
  const resolve = vi.fn<() => Promise<[]>>(async () => []);
  const sandbox = await testEgress({ resolve });
  const answered: RequestListener = (request, response) =>
    response.end(`${request.headers.host} ${request.url} ${request.headers["ignite-hops"]}`);
  const front = await testServer(answered, { path: sandbox.frontSocket });
  cleanups.push(front.stop, sandbox.stop);
  const hosts = ["a--local.apps.test:8787", "apps.test", "A--LOCAL.Apps.Test", "x.y.apps.test."];
  for (const host of hosts) {
    const answer = await sandbox.call({
      url: `https://${host}/@b?c`,
      headers: { "ignite-hops": "3" },
    });
    expect(answer.body).toBe(`${host.toLowerCase()} /@b?c 4`);
  }
  expect(resolve).not.toHaveBeenCalled();
});

test("a request that came through the front too often is LOOP_DETECTED", async () => {
  const sandbox = await testEgress();
  cleanups.push(sandbox.stop);
  const answer = await sandbox.call({
    url: "http://a--local.apps.test/",
    headers: { "ignite-hops": String(hopsMax) },
  });
  expect([answer.status, answer.headers["ignite-egress-error"]]).toEqual([508, "LOOP_DETECTED"]);
});

test("a WebSocket passes both ways", async () => {
  const echo = createServer();
  echo.on("upgrade", (request, socket) => {
    const accept = `x-protocol: ${request.headers["sec-websocket-protocol"]}`;
    socket.write(
      `HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n${accept}\r\n\r\n`,
    );
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  const { port } = echo.address() as { port: number };
  const sandbox = await testEgress({ allow: [`127.0.0.1:${port}`] });
  cleanups.push(sandbox.stop, async () => void echo.close());
  const outgoing = request({
    socketPath: sandbox.socketPath,
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-protocol": "chat",
      "ignite-app": "local/test",
      "ignite-egress-url": `ws://127.0.0.1:${port}/`,
    },
  });
  outgoing.end();
  const [answer, socket] = await once(outgoing, "upgrade");
  expect([answer.statusCode, answer.headers["x-protocol"]]).toEqual([101, "chat"]);
  socket.write("ping");
  const [message] = await once(socket, "data");
  expect(String(message)).toBe("ping");
  socket.destroy();
  await expect.poll(() => sandbox.egress.counters()["local/test"]?.active).toBe(0);
});

test("a WebSocket to a private address is refused with a problem", async () => {
  const sandbox = await testEgress();
  cleanups.push(sandbox.stop);
  const answer = await sandbox.call({
    url: "ws://127.0.0.1:1/",
    headers: { connection: "Upgrade", upgrade: "websocket" },
  });
  expect([answer.status, JSON.parse(answer.body).reason]).toEqual([403, "EGRESS_DENIED"]);
});

test("a cell that was closed is cut off, and its socket is gone", async () => {
  const { sandbox, url } = await calling(() => {});
  const waiting = sandbox.call({ url: `${url}/` });
  await expect.poll(() => sandbox.egress.counters()["local/test"]?.active).toBe(1);
  await Promise.all([sandbox.egress.close("c1"), expect(waiting).rejects.toThrow()]);
  await expect(sandbox.call({ url: `${url}/` })).rejects.toThrow("ENOENT");
});
