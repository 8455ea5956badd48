/** `ignite dev` as a developer uses it: save, look, break, look, fix. */
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../harness/platform.ts";
import { type RunningProcess, startProcess } from "../harness/process.ts";

const CLI = fileURLToPath(new URL("../../cli/bin.mjs", import.meta.url));
let app: string;
let dev: RunningProcess;
let url: string;

const source = (text: string) => `interface Named { name: string }
export default {
  fetch(request: Request): Response {
    const { pathname } = new URL(request.url);
    console.log("asked for", pathname);
    if (pathname === "/throw") {
      const nobody: Named | undefined = undefined;
      return new Response(nobody!.name);
    }
    const type = pathname === "/page" ? "text/html" : "text/plain";
    return new Response(${JSON.stringify(text)}, { headers: { "content-type": type } });
  },
};
`;

/** In one step, so that one build follows: a file that is written in place is empty first. */
const write = async (name: string, text: string) => {
  await writeFile(`${app}.next`, text);
  await rename(`${app}.next`, join(app, name));
};
const event = async (matches: (line: Record<string, unknown>) => boolean) =>
  JSON.parse(await dev.line((line) => matches(JSON.parse(line)))) as Record<string, unknown>;
const answer = async () => (await fetch(url)).text();

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), "ignite-dev-app-"));
  await writeFile(join(app, "ignite.toml"), 'app = "shop"\nruntime = "deno"\nmain = "main.ts"\n');
  await writeFile(join(app, "main.ts"), source("one"));
  const args = [CLI, "dev", "--json", "--port", "0", "--inspector-port", "0"];
  dev = startProcess(process.execPath, args, {
    cwd: app,
    env: { ...process.env, NO_COLOR: "1" },
  });
  url = (await event((line) => line["ready"] === true))["url"] as string;
});

afterAll(async () => {
  expect(await dev.stop()).toBe(0);
  await rm(app, { recursive: true, force: true });
});

test("serves the app, without a platform, and prints what it logs", async () => {
  expect(await (await fetch(`${url}/hello`)).text()).toBe("one");
  const { log } = await event((line) => "log" in line);
  expect(log).toMatchObject({ level: "log", message: "asked for /hello" });
});

test("a save is answered by the new code", async () => {
  await write("main.ts", source("two"));
  await event((line) => line["built"] === true);
  await expect.poll(answer).toBe("two");
});

test("a stack names the lines of the source", async () => {
  expect((await fetch(`${url}/throw`)).status).toBe(502);
  const { log } = await event((line) => "stack" in ((line["log"] as object) ?? {}));
  expect((log as { stack: string }).stack).toMatch(/main\.ts:8:\d+/);
});

test("an error that is logged has its stack in the sources, and no frames of the platform", async () => {
  await write(
    "main.ts",
    'interface None {}\nexport default { fetch() { console.error(new Error("seen")); return new Response("two"); } };\n',
  );
  await event((line) => line["built"] === true);
  await answer();
  const { log } = await event((line) => "log" in line);
  expect((log as { message: string }).message).toMatch(/^Error: seen\n +at .*main\.ts:2:\d+\)?$/);
  await write("main.ts", source("two"));
  await event((line) => line["built"] === true);
});

test("while the newest source has errors the last good version answers and both are told", async () => {
  await write("main.ts", "export default {\n  fetch( {\n");
  const { failure } = await event((line) => line["built"] === false);
  expect(failure).toMatch(/main\.ts:\d+:\d+: error/);
  const page = await (await fetch(`${url}/page`)).text();
  expect(page).toContain("two");
  expect(page).toContain("/__ignite/dev.js");
  const events = await fetch(`${url}/__ignite/events`);
  const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader?.read())?.value).toMatch(/event: failure\ndata: "main\.ts/);
  await write("main.ts", source("three"));
  await event((line) => line["built"] === true);
  expect((await reader?.read())?.value).toContain("event: reload");
  await reader?.cancel();
  await expect.poll(answer).toBe("three");
});

const PAGE = { headers: { accept: "text/html" } };
const save = async (text: string) => {
  await write("main.ts", text);
  await event((line) => line["built"] === true);
};
const handler = (body: string) =>
  `export default { async fetch(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  ${body}
  return new Response("fine");
} };
`;

test("an error is a page for a browser: message, stack in the sources, reload", async () => {
  await save(handler('if (pathname === "/boom") throw new Error("<boom>");'));
  const response = await fetch(`${url}/boom`, PAGE);
  expect(response.status).toBe(502);
  expect(response.headers.get("content-type")).toContain("text/html");
  const page = await response.text();
  expect(page).toContain("502 GUEST_ERROR, GET /boom");
  expect(page).toMatch(/Error: &lt;boom>\n +at .*main\.ts:3:\d+/);
  expect(page).toContain("/__ignite/dev.js");
  const { failed } = await event((line) => "failed" in line);
  expect(failed).toMatchObject({ method: "GET", path: "/boom", reason: "GUEST_ERROR" });
  expect(await (await fetch(`${url}/boom`)).json()).toMatchObject({ reason: "GUEST_ERROR" });
});

test("a module that throws while it loads is shown at each request", async () => {
  await save(`throw new Error("no start");\n${handler("")}`);
  for (const path of ["/one", "/two"]) {
    const response = await fetch(url + path, PAGE);
    expect(response.status).toBe(502);
    expect(await response.text()).toMatch(/LOAD_FAILED.*Error: no start\n +at .*main\.ts:1:7/s);
  }
});

test("a handler that gives no Response, or never settles, is told in the log", async () => {
  await save(
    handler(`if (pathname === "/nothing") return undefined as unknown as Response;
  if (pathname === "/text") return "text" as unknown as Response;
  if (pathname === "/never") await new Promise(() => {});`),
  );
  for (const [path, message] of [
    ["/nothing", "The handler returned undefined instead of a Response."],
    ["/text", "The handler returned a string instead of a Response."],
    ["/never", "The handler never answers: what it waits for cannot happen any more."],
  ]) {
    expect((await fetch(url + path)).status).toBe(502);
    const { log } = await event((line) => "log" in line);
    expect((log as { message: string }).message).toContain(message);
  }
});

test("a handler that loops costs its request, and no more", async () => {
  await save(handler('if (pathname === "/spin") for (;;) {}'));
  const response = await fetch(`${url}/spin`);
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({
    reason: "CPU_EXCEEDED",
    detail: expect.stringContaining("infinite loop?"),
  });
  expect(await event((line) => "lost" in line)).toMatchObject({ lost: { reason: "CPU_EXCEEDED" } });
  expect(await answer()).toBe("fine");
  expect(await (await fetch(`${url}/spin`, PAGE)).text()).toContain("CPU_EXCEEDED");
});

test("a module that loops while it loads is mended by a save", async () => {
  await save(`for (;;) {}\n${handler("")}`);
  const stuck = fetch(url);
  await save(handler(""));
  expect((await stuck).status).toBe(503);
  expect(await answer()).toBe("fine");
});

test("variables of .env are added to those of the manifest, whenever it is saved", async () => {
  await write(".gitignore", ".env\n");
  await event((line) => line["built"] === true);
  await save(`export default {
  fetch: (_: Request, vars: Record<string, string>) => Response.json(vars),
};
`);
  expect(await answer()).toBe("{}");
  await write(".env", 'TOKEN="of mine" # not for git\n');
  await event((line) => line["built"] === true);
  expect(await answer()).toBe('{"TOKEN":"of mine"}');
  await rm(join(app, ".env"));
  await event((line) => line["built"] === true);
  expect(await answer()).toBe("{}");
});

test("fetch reaches names below localhost on this machine", async () => {
  const platform = createServer((request, response) => response.end(request.headers.host));
  await once(platform.listen(0, "127.0.0.1"), "listening");
  try {
    const host = `hello--local.localhost:${(platform.address() as AddressInfo).port}`;
    await save(`export default { fetch: () => fetch("http://${host}/") };\n`);
    expect(await answer()).toBe(host);
  } finally {
    platform.close();
  }
});

test("an app that asks for more memory gets it", async () => {
  const toml = 'app = "shop"\nmain = "main.ts"\n';
  await write("ignite.toml", `${toml}[limits]\nmemory_mb = 512\n`);
  await event((line) => line["built"] === true);
  await save(`export default { fetch(): Response {
  const kept = Array.from({ length: 250 }, (_, at) => new Array(131_072).fill(at + 0.5));
  return new Response(String(kept.length));
} };
`);
  expect(await answer()).toBe("250");
  await write("ignite.toml", toml);
  await event((line) => line["built"] === true);
  expect((await fetch(url)).status).toBe(503);
});

test("a guest that ends the process gets a new one", async () => {
  await write(
    "main.ts",
    `const kept: string[][] = [];
export default {
  fetch(request: Request): Response {
    if (new URL(request.url).pathname === "/bomb") {
      for (;;) kept.push(new Array(1_000_000).fill("x" + kept.length));
    }
    return new Response("alive");
  },
};
`,
  );
  await expect.poll(answer).toBe("alive");
  expect((await fetch(`${url}/bomb`)).status).toBe(503);
  await until("the app answers again", async () => (await fetch(url)).status === 200);
});

test("a first compile that fails says so, and nothing of an older version", async () => {
  await write("main.ts", "export default {\n");
  const args = [CLI, "dev", "--port", "0", "--no-inspector"];
  const env = { ...process.env, NO_COLOR: "1" };
  const broken = startProcess(process.execPath, args, { cwd: app, env });
  try {
    const serving = await broken.line((line) => line.startsWith("Serving "));
    const response = await fetch(serving.slice("Serving ".length), PAGE);
    expect(response.status).toBe(503);
    expect(await response.text()).toMatch(/COMPILE_FAILED.*main\.ts:\d+:\d+: error/s);
    expect(broken.errors()).toMatch(/^not compiled$/m);
  } finally {
    expect(await broken.stop()).toBe(0);
  }
});
