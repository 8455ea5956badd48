import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BundleInput } from "../../core/bundle.ts";
import { appDocument, artifactOf, signedApp } from "../../test/harness/documents.ts";
import {
  jsonOf,
  type SocketRequest,
  startTestCell,
  type TestCell,
  textOf,
} from "../../test/harness/workerd.ts";

let cell: TestCell;
beforeAll(async () => {
  cell = await startTestCell();
});
afterAll(() => cell.stop());

interface AppParts {
  files?: Record<string, string>;
  vars?: Record<string, string>;
}

let apps = 0;

/** Deploys the source under a new name; answers how to call it. */
async function run(source: string, { files = {}, vars = {} }: AppParts = {}) {
  apps += 1;
  const name = `acme/guest-${apps}`;
  const assets: BundleInput["assets"] = Object.entries(files).map(([file, text]) => ({
    name: file,
    bytes: new TextEncoder().encode(text),
    meta: { contentType: "text/plain" },
  }));
  const { blob, digest } = artifactOf(source, { assets });
  cell.artifacts.set(digest, [blob]);
  const versions = { 1: { versionId: "ver_1", number: 1, artifact: digest, vars } };
  await cell.push(await signedApp(appDocument(name, digest, { versions })));
  const host = `guest-${apps}--acme.localhost`;
  return (path = "/", options: SocketRequest = {}) => cell.call(host, path, options);
}

/** What a handler with this body answers, as JSON. */
async function evaluate(body: string, parts: AppParts = {}): Promise<unknown> {
  const call = await run(`export default { async fetch(request, env, ctx) { ${body} } }`, parts);
  const response = await call();
  const text = await textOf(response);
  if (response.statusCode !== 200) throw new Error(`${text}\n${cell.lines.slice(-3).join("\n")}`);
  return JSON.parse(text);
}

test("console methods write log lines with level, text and execution id", async () => {
  await evaluate(
    `console.log("a %s has %d", "cat", 4.5, { legs: [1, 2], at: new Date(0) }); console.warn(new Map([["k", 1]])); console.error("line\\nbreak"); console.debug(null, undefined, 5n, Symbol("s")); await 0; console.info("later"); return Response.json(1)`,
  );
  const lines = cell.logs().slice(-5);
  expect(lines.map(({ l, m }) => [l, m])).toEqual([
    ["log", "a cat has 4.5 { legs: [1, 2], at: 1970-01-01T00:00:00.000Z }".replace("4.5", "4")],
    ["warn", 'Map(1) { "k" => 1 }'],
    ["error", "line\nbreak"],
    ["debug", "null undefined 5n Symbol(s)"],
    ["info", "later"],
  ]);
  expect(new Set(lines.map(({ x }) => x)).size).toBe(1);
  expect(lines[0]?.x).toMatch(/^exe_r\d+$/);
});

test("concurrent invocations keep their execution ids apart across awaits", async () => {
  const call = await run(
    `export default { async fetch(r) { const p = new URL(r.url).pathname; await new Promise((f) => setTimeout(f, 20)); console.log(p, r.headers.get("ignite-request-id")); return new Response("x"); } }`,
  );
  const before = cell.logs().length;
  await Promise.all(Array.from({ length: 8 }, (_, at) => call(`/${at}`).then(textOf)));
  const lines = cell.logs().slice(before);
  expect(lines).toHaveLength(8);
  for (const { x, m } of lines) expect(x).toBe(`exe_${m.split(" ")[1]}`);
});

test("thrown errors, stray rejections and errors in timers are logged with their stacks", async () => {
  const call = await run(`
export default { async fetch(r, env, ctx) {
  const path = new URL(r.url).pathname;
  if (path === "/throw") throw new TypeError("thrown", { cause: new Error("the cause") });
  if (path === "/reject") { Promise.reject(new Error("stray")); return new Response("x"); }
  if (path === "/timer") { setTimeout(() => { throw new Error("in a timer"); }, 1); ctx.waitUntil(new Promise((f) => setTimeout(f, 20))); return new Response("x"); }
  throw "a string";
} }`);
  const response = await call("/throw");
  const problem = await jsonOf(response);
  expect([response.statusCode, problem["reason"]]).toEqual([502, "GUEST_ERROR"]);
  expect(JSON.stringify(problem)).not.toMatch(/thrown|main\.js/);
  const thrown = cell.logs().at(-1);
  expect(thrown).toMatchObject({
    l: "error",
    m: "TypeError: thrown",
    x: expect.stringMatching(/^exe_r/),
  });
  expect(thrown?.s).toMatch(/main\.js:4:\d+[\s\S]*Caused by: Error: the cause/);
  expect(thrown?.s).not.toContain("ignite:");
  await call("/reject");
  expect(await cell.line(/Uncaught \(in promise\) Error: stray/)).toMatch(/main\.js:5/);
  await call("/timer");
  expect(await cell.line(/Uncaught Error: in a timer/)).toMatch(/main\.js:6/);
  await call("/string");
  await cell.line(/"m":"a string"/);
});

test("long lines are cut and floods stop with a marker, others' logs unharmed", async () => {
  const flood = await run(
    `export default { fetch() { console.log("x".repeat(100000)); for (let i = 0; i < 2000; i++) console.log("y".repeat(1000)); return new Response("x"); } }`,
  );
  const before = cell.logs().length;
  await textOf(await flood());
  const lines = cell.logs().slice(before);
  expect(lines[0]?.m).toMatch(/^x{16384}… \[ignite: 83616 more\]$/);
  expect(lines.at(-1)?.m).toBe("[ignite] Too much log output; lines are left out here.");
  expect(lines.length).toBeLessThan(300);
  await evaluate(`console.log("calm"); return Response.json(1)`);
  expect(cell.logs().at(-1)?.m).toBe("calm");
});

test("a guest that changes its language keeps its log's bounds and ids", async () => {
  const call = await run(`
Function.prototype.call = () => "exe_\\0";
String.prototype.slice = () => "y".repeat(1_000_000);
Array.prototype.join = () => ({ length: 0, toJSON: () => "z".repeat(1_000_000) });
export default { fetch(r) { console.log("one", "line"); if (r.url.endsWith("/throw")) throw new Error("x"); return new Response("ok"); } }`);
  await textOf(await call("/"));
  await textOf(await call("/throw"));
  for (const { x, m, s } of cell.logs().slice(-3)) {
    expect(x).toMatch(/^exe_r/);
    expect(`${m}${s ?? ""}`.length).toBeLessThan(50_000);
  }
});

test("a guest cannot reach the native console, the log token or the platform's modules", async () => {
  const seen = await evaluate(`
    const found = [];
    Object.defineProperty = Object.getOwnPropertyNames = Object.assign = () => [];
    for (const name in console) console[name]?.("plain", "trusted {}");
    const guest = await import("ignite:guest.js").catch((e) => ({ error: String(e) }));
    const main = await import("ignite:main.js").catch((e) => ({ error: String(e) }));
    const texts = [...Object.values(guest), ...Object.values(main), main.default?.fetch].map(String);
    const again = await guest.boot?.({ logToken: "mine", vars: {}, files: {} }, async () => ({})).catch((e) => e.message);
    const names = Object.keys((await import("cloudflare:workers")).env);
    return Response.json({ texts: texts.join("\\n"), again: again ?? null, env: names, caches: await caches.default.match(request).then(() => "there").catch(() => "none") });`);
  const { texts, again, env, caches } = seen as {
    texts: string;
    again: string;
    env: string[];
    caches: string;
  };
  const tokens = cell.lines.flatMap(
    (line) => /"t":"isolate","key":"([\w-]+)"/.exec(line)?.[1] ?? [],
  );
  expect(tokens.length).toBeGreaterThan(0);
  for (const token of tokens) expect(texts).not.toContain(token);
  expect(again).toBe("the isolate is already up");
  expect(env).toEqual([]);
  expect(caches).toBe("none");
  expect(cell.lines.some((line) => line.startsWith("plain"))).toBe(false);
});

test("handlers: Deno.serve in its forms, a default function, onError", async () => {
  const answer = async (source: string) => textOf(await (await run(source))());
  expect(await answer(`Deno.serve(() => new Response("a"))`)).toBe("a");
  expect(
    await answer(`Deno.serve({ port: 1 }, (r, info) => new Response(info.remoteAddr.transport))`),
  ).toBe("tcp");
  expect(await answer(`Deno.serve({ handler: () => new Response("c") })`)).toBe("c");
  expect(
    await answer(
      `Deno.serve({ onError: (e) => new Response(e.message) }, () => { throw new Error("d"); })`,
    ),
  ).toBe("d");
  expect(await answer(`export default () => new Response("e")`)).toBe("e");
  expect(
    await answer(
      `export default { greeting: "f", fetch() { return new Response(this.greeting); } }`,
    ),
  ).toBe("f");
  const call = await run(
    `const s = Deno.serve({ onListen: ({ port }) => console.log("port", port) }, () => new Response("g")); console.log(s.addr.hostname);`,
  );
  expect(await textOf(await call())).toBe("g");
  expect(
    cell
      .logs()
      .slice(-2)
      .map(({ m }) => m),
  ).toEqual(["port 8000", "0.0.0.0"]);
});

test("Deno.env has the version's variables, changes stay in memory", async () => {
  const parts = { vars: { GREETING: "hi", toString: "own" } };
  expect(
    await evaluate(
      `const e = Deno.env; const all = e.toObject(); e.set("A", "1"); return Response.json([e.get("GREETING"), e.has("NOPE"), e.get("NOPE") ?? null, e.get("toString"), e.get("constructor") ?? null, e.get("A"), env.GREETING, all])`,
      parts,
    ),
  ).toEqual(["hi", false, null, "own", null, "1", "hi", { GREETING: "hi", toString: "own" }]);
});

test("Deno reads the app's static files, at load and in requests, by any form of path", async () => {
  const files = { "data/a.txt": "alpha", "data/deep/b.json": "{}", "top.txt": "top" };
  const call = await run(
    `
const early = Deno.readTextFileSync("top.txt") + await Deno.readTextFile(new URL("file:///app/data/a.txt"));
export default { async fetch() {
  const fails = async (f) => { try { await f(); return "no"; } catch (e) { return e.name + (e instanceof Deno.errors.NotFound) ; } };
  const list = []; for await (const e of Deno.readDir("data")) list.push([e.name, e.isFile]);
  return Response.json([early, await Deno.readTextFile("./data/../data/a.txt"), (await Deno.readFile("/app/top.txt")).length, list,
    (await Deno.stat("data")).isDirectory, Deno.statSync("top.txt").size, Deno.cwd(),
    await fails(() => Deno.readFile("nope")), await fails(() => Deno.readFile("/etc/passwd")), await fails(() => Deno.stat("../x")), await fails(() => Deno.readFile("data"))]);
} }`,
    { files },
  );
  expect(await jsonOf(await call())).toEqual([
    "topalpha",
    "alpha",
    3,
    [
      ["a.txt", true],
      ["deep", false],
    ],
    true,
    3,
    "/app",
    "NotFoundtrue",
    "NotFoundtrue",
    "NotFoundtrue",
    "IsADirectoryfalse",
  ]);
});

test("large static files are read on demand", async () => {
  const files = { "big.txt": "b".repeat(600_000), "ä b/c.txt": "odd" };
  const body = `const sync = (() => { try { Deno.readFileSync("big.txt"); } catch (e) { return e.name; } })();
    return Response.json([(await Deno.readTextFile("big.txt")).length, await Deno.readTextFile("ä b/c.txt"), sync])`;
  expect(await evaluate(body, { files })).toEqual([600_000, "odd", "NotSupported"]);
});

test("what an isolate lacks throws NotSupported and names the placement that has it", async () => {
  const result = (await evaluate(`
    const errors = []; for (const f of [() => Deno.openKv(), () => Deno.exit(3), () => Deno.Command("ls"), () => new Deno.Command("ls")]) { try { await f(); } catch (e) { errors.push([e.name, e.message]); } }
    return Response.json([errors, Deno.version.deno, typeof Deno.build.os, Deno.inspect({ a: [1] }), Deno.args])`)) as [
    string[][],
    ...unknown[],
  ];
  const [errors, ...rest] = result;
  expect(errors.map(([name]) => name)).toEqual([
    "NotSupported",
    "NotSupported",
    "NotSupported",
    "NotSupported",
  ]);
  expect(errors[0]?.[1]).toContain('placement = "region" has it');
  expect(rest).toEqual(["2.9.6", "string", "{ a: [1] }", []]);
});

test("the examples answer", async () => {
  const source = stripTypeScriptTypes(await readFile("examples/hello/main.ts", "utf8"));
  const hello = await run(source, { vars: { GREETING: "Hello" } });
  expect(await textOf(await hello("/?name=you"))).toBe("Hello, you!\n");
});

test("a handler that gives no Response is told in the log, with what it gave", async () => {
  for (const [given, told] of [
    ["undefined", "undefined"],
    ["null", "null"],
    ['"text"', "a string"],
    ["{}", "an object"],
    ["[]", "an array"],
  ]) {
    const call = await run(`export default { fetch() { return ${given}; } }`);
    expect(await jsonOf(await call())).toMatchObject({ status: 502, reason: "GUEST_ERROR" });
    const m = `TypeError: The handler returned ${told} instead of a Response.`;
    expect(cell.logs().at(-1)).toMatchObject({ l: "error", m, x: expect.stringMatching(/^exe_r/) });
  }
});

test("a handler may answer with what it calls Response itself", async () => {
  const call = await run(`const Native = Response;
class Own extends Native {}
globalThis.Response = class { constructor() { return new Own("own"); } };
export default { fetch() { return new Response(); } }`);
  expect(await textOf(await call())).toBe("own");
});

test("a handler that never settles is told in the log", async () => {
  const call = await run("export default { fetch: () => new Promise(() => {}) }");
  expect(await jsonOf(await call())).toMatchObject({ status: 502, reason: "GUEST_ERROR" });
  expect(cell.logs().at(-1)).toMatchObject({
    l: "error",
    m: "The handler never answers: what it waits for cannot happen any more.",
    x: expect.stringMatching(/^exe_r/),
  });
});

test("a caller that leaves early is no error of the app", async () => {
  const call = await run(`export default { async fetch(request) {
  if (request.url.endsWith("/after")) return new Response("after");
  request.signal.addEventListener("abort", () => console.log("left"));
  console.log("came");
  await new Promise((done) => setTimeout(done, 60_000));
  return new Response();
} }`);
  const caller = new AbortController();
  const cut = expect(call("/", { signal: caller.signal })).rejects.toThrow("aborted");
  await cell.line(/"came"/);
  const before = cell.logs().length;
  caller.abort();
  await cut;
  await cell.line(/"left"/);
  expect(await textOf(await call("/after"))).toBe("after");
  expect(
    cell
      .logs()
      .slice(before)
      .map(({ m }) => m),
  ).toEqual(["left"]);
});
