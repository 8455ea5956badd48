/** Each example is deployed through the command line and called as its README says. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPlatform, type TestPlatform } from "../harness/platform.ts";

const examples = fileURLToPath(new URL("../../examples/", import.meta.url));
let platform: TestPlatform;

beforeAll(async () => {
  platform = await startPlatform();
});

afterAll(() => platform.dispose());

async function deploy(name: string) {
  const result = await platform.ignite(["deploy", examples + name]);
  expect(result.code, `${name}: ${result.stderr}`).toBe(0);
  const base = `${platform.url}/@${platform.org}/${name}`;
  return (path: string, init?: RequestInit) => fetch(base + path, init);
}

const json = (body: unknown) => ({ method: "POST", body: JSON.stringify(body) });

test("hello greets", async () => {
  const call = await deploy("hello");
  expect(await (await call("/?name=you")).text()).toBe("Hello, you!\n");
});

test("hono-zod makes todos and says what is wrong with bad ones", async () => {
  const call = await deploy("hono-zod");
  const made = await call("/todos", json({ title: "try Ignite" }));
  expect(made.status).toBe(201);
  expect(await made.json()).toMatchObject({ title: "try Ignite", done: false });
  const refused = await call("/todos", json({}));
  expect(refused.status).toBe(400);
  expect(await refused.json()).toHaveProperty("issues.fieldErrors.title");
});

test("chat passes what one socket says to all", async () => {
  await deploy("chat");
  const open = async () => {
    const socket = new WebSocket(`ws://${platform.host}/@${platform.org}/chat/`);
    await new Promise((done, fail) => {
      socket.onopen = done;
      socket.onerror = fail;
    });
    return socket;
  };
  const [ann, bob] = await Promise.all([open(), open()]);
  const heard = (socket: WebSocket) =>
    new Promise<unknown>((done) => {
      socket.onmessage = (event) => done(event.data);
    });
  const both = Promise.all([heard(ann), heard(bob)]);
  ann.send("hi");
  expect(await both).toEqual(["hi", "hi"]);
  ann.close();
  bob.close();
});

test("sse streams events as they are made", async () => {
  const call = await deploy("sse");
  const response = await call("/");
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const first = (await reader?.read())?.value ?? "";
  expect(first).toContain('data: {"count":1}');
  expect(first).not.toContain('"count":10');
  let rest = "";
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    rest += part.value;
  }
  expect(rest).toContain('data: {"count":10}');
});

test("static-site serves its files by name", async () => {
  const call = await deploy("static-site");
  const page = await call("/");
  expect(page.headers.get("content-type")).toMatch(/^text\/html/);
  expect(await page.text()).toContain("Served from the bundle");
  const style = await call("/style.css");
  expect(style.headers.get("content-type")).toMatch(/^text\/css/);
  const again = await call("/style.css", {
    headers: { "if-none-match": style.headers.get("etag") ?? "" },
  });
  expect(again.status).toBe(304);
  expect((await call("/nothing.html")).status).toBe(404);
});

test("caller reaches another app by its edge URL", async () => {
  await deploy("hello");
  const byPath = await deploy("caller");
  const byHost = platform.fetchHost(`caller--${platform.org}.localhost`, "/?name=you");
  for (const response of [await byHost, await byPath("/?name=you")]) {
    expect(await response.json()).toEqual({ status: 200, said: "Hello, you!" });
  }
});

test("orders takes what fits its schema and refuses the rest before the app runs", async () => {
  const call = await deploy("orders");
  const headers = { "content-type": "application/json" };
  const made = await call("/", { ...json({ item: "tea", quantity: 2 }), headers });
  expect(made.status).toBe(201);
  expect(await made.json()).toEqual({ item: "tea", quantity: 2, readyIn: "2 minutes" });
  const refused = await call("/", { ...json({ item: "tea" }), headers });
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({ reason: "INPUT_REJECTED" });
});
