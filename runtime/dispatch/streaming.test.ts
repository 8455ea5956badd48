import { createServer } from "node:net";
import { connect } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { startTestCell, type TestCell, textOf } from "../../test/harness/workerd.ts";

let cell: TestCell;
beforeAll(async () => {
  cell = await startTestCell();
});
afterAll(() => cell.stop());

/** An example's main module as the bundler would give it, less its types. */
async function example(name: string): Promise<string> {
  return stripTypeScriptTypes(await readFile(`examples/${name}/main.ts`, "utf8"));
}

test("a body is handed on piece by piece, both ways", async () => {
  const source = `export default { fetch(r) {
    const upper = new TransformStream({ transform(c, k) { k.enqueue(new TextEncoder().encode(new TextDecoder().decode(c).toUpperCase())); } });
    return new Response(r.body.pipeThrough(upper)); } }`;
  await cell.deploy("acme/upper", source);
  const body = new Readable({ read() {} });
  body.push("first ");
  const response = await cell.call("upper--acme.localhost", "/", { method: "POST", body });
  response.setEncoding("utf8");
  const pieces = response[Symbol.asyncIterator]();
  expect((await pieces.next()).value).toBe("FIRST ");
  body.push("second");
  expect((await pieces.next()).value).toBe("SECOND");
  body.push(null);
  expect((await pieces.next()).done).toBe(true);
});

test("a guest that streams is held back by a caller that does not read", async () => {
  const source = `let made = 0;
    export default { fetch(r) {
      if (new URL(r.url).pathname === "/made") return new Response(String(made));
      return new Response(new ReadableStream({ async pull(k) { made += 65536; k.enqueue(new Uint8Array(65536)); await new Promise((f) => setTimeout(f)); } }));
    } }`;
  await cell.deploy("acme/fast", source);
  const response = await cell.call("fast--acme.localhost", "/");
  response.pause();
  const made = async () => Number(await textOf(await cell.call("fast--acme.localhost", "/made")));
  let before = -1;
  let now = await made();
  while (now !== before) {
    before = now;
    for (let at = 0; at < 50; at++) now = await made();
  }
  expect(now).toBeLessThan(16 * 1024 * 1024);
  response.resume();
  while ((await made()) <= now);
  response.destroy();
});

test("server-sent events arrive as they are sent, and stop when the caller leaves", async () => {
  const source = await example("sse");
  await cell.deploy("acme/sse", `${source}\n`);
  const text = await textOf(await cell.call("sse--acme.localhost", "/"));
  expect(text.match(/^id: \d+$/gm)).toHaveLength(10);
});

test("a caller that leaves aborts the guest's signal", async () => {
  const source = `export default { async fetch(r) {
    r.signal.addEventListener("abort", () => console.log("caller left"));
    console.log("waiting"); await new Promise((f) => setTimeout(f, 20000)); return new Response("late"); } }`;
  await cell.deploy("acme/abort", source);
  const leave = new AbortController();
  const call = cell
    .call("abort--acme.localhost", "/", { signal: leave.signal })
    .catch(() => "left");
  await cell.line(/"waiting"/);
  leave.abort();
  expect(await call).toBe("left");
  await cell.line(/"caller left"/);
});

test("waitUntil work goes on after the answer", async () => {
  const source = `export default { fetch(r, env, ctx) {
    ctx.waitUntil(new Promise((f) => setTimeout(f, 100)).then(() => console.log("after the answer")));
    return new Response("done"); } }`;
  await cell.deploy("acme/later", source);
  expect(await textOf(await cell.call("later--acme.localhost", "/"))).toBe("done");
  await cell.line(/"after the answer"/);
});

/** A TCP port that leads to the traffic socket, for clients that cannot speak to unix sockets. */
async function withPort<Result>(use: (port: number) => Promise<Result>): Promise<Result> {
  const server = createServer((socket) => {
    const inner = connect(join(cell.folder, "front.sock"));
    socket.pipe(inner).pipe(socket);
    socket.on("error", () => inner.destroy());
    inner.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  try {
    return await use(typeof address === "object" && address !== null ? address.port : 0);
  } finally {
    server.close();
  }
}

interface Client {
  socket: WebSocket;
  next(): Promise<unknown>;
}

async function openSocket(url: string): Promise<Client> {
  const socket = new WebSocket(url);
  const got: unknown[] = [];
  const waiting: ((data: unknown) => void)[] = [];
  socket.onmessage = ({ data }) => {
    const take = waiting.shift();
    if (take === undefined) got.push(data);
    else take(data);
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("no connection"));
  });
  const next = () =>
    new Promise<unknown>((resolve) =>
      got.length > 0 ? resolve(got.shift()) : waiting.push(resolve),
    );
  return { socket, next };
}

test("the chat example sends what one socket says to every socket", async () => {
  await cell.deploy("acme/chat", await example("chat"));
  await withPort(async (port) => {
    const url = `ws://127.0.0.1:${port}/@acme/chat/`;
    const [one, two] = [await openSocket(url), await openSocket(url)];
    one.socket.send("hello");
    expect([await one.next(), await two.next()]).toEqual(["hello", "hello"]);
    two.socket.send("and back");
    expect([await one.next(), await two.next()]).toEqual(["and back", "and back"]);
    const closed = new Promise<CloseEvent>((resolve) => {
      one.socket.onclose = resolve;
    });
    one.socket.close(1000, "bye");
    expect((await closed).code).toBe(1000);
    two.socket.send("alone");
    expect(await two.next()).toBe("alone");
    two.socket.close();
  });
});

test("an upgraded socket passes bytes, and its closing both ways", async () => {
  const source = `Deno.serve((r) => { const { socket, response } = Deno.upgradeWebSocket(r);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => { if (data === "close") socket.close(4001, "asked"); else socket.send(new Uint8Array(data).toReversed()); };
    socket.onclose = ({ code }) => console.log("closed", code);
    return response; })`;
  await cell.deploy("acme/bytes", source);
  await withPort(async (port) => {
    const { socket, next } = await openSocket(`ws://127.0.0.1:${port}/@acme/bytes/`);
    socket.binaryType = "arraybuffer";
    socket.send(new Uint8Array([1, 2, 3]));
    expect(new Uint8Array((await next()) as ArrayBuffer)).toEqual(new Uint8Array([3, 2, 1]));
    const closed = new Promise<CloseEvent>((resolve) => {
      socket.onclose = resolve;
    });
    socket.send("close");
    expect(await closed).toMatchObject({ code: 4001, reason: "asked" });
    await cell.line(/closed 4001/);
  });
});
