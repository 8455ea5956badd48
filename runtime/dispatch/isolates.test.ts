import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { appDocument, artifactOf, signedApp } from "../../test/harness/documents.ts";
import { jsonOf, startTestCell, type TestCell, textOf } from "../../test/harness/workerd.ts";

const COUNTER = `let calls = 0; export default { fetch: () => new Response(String(++calls)) }`;

let cell: TestCell;
beforeAll(async () => {
  cell = await startTestCell({ config: { isolatesMax: 20 } });
});
afterAll(() => cell.stop());

const get = async (name: string, path = "/") =>
  textOf(await cell.call(`${name}--acme.localhost`, path));
const isolates = async () => (await cell.admin<{ isolates: number }>("/ping")).isolates;

test("an isolate keeps its memory between requests and loses it when evicted", async () => {
  await cell.deploy("acme/counter", COUNTER);
  expect([await get("counter"), await get("counter")]).toEqual(["1", "2"]);
  expect(await cell.admin("/evict", { app: "acme/counter" })).toEqual({ evicted: 1 });
  expect(await get("counter")).toBe("1");
});

test("eviction lets a stream in flight finish", async () => {
  const source = `export default { fetch(r) {
    if (new URL(r.url).pathname !== "/stream") return new Response("x");
    let n = 0;
    return new Response(new ReadableStream({ async pull(c) { await new Promise((f) => setTimeout(f, 20)); c.enqueue(new TextEncoder().encode("tick ")); if (++n === 5) c.close(); } }));
  } }`;
  await cell.deploy("acme/ticks", source);
  const response = await cell.call("ticks--acme.localhost", "/stream");
  await cell.admin("/evict", { app: "acme/ticks" });
  expect(await get("ticks")).toBe("x");
  expect(await textOf(response)).toBe("tick tick tick tick tick ");
});

test("a version that no longer gets traffic is dropped, and previews still load it", async () => {
  await cell.deploy("acme/old", COUNTER);
  expect([await get("old"), await get("old")]).toEqual(["1", "2"]);
  const { blob, digest } = artifactOf(COUNTER);
  cell.artifacts.set(digest, [blob]);
  const version = (number: number) => ({
    versionId: `ver_${number}`,
    number,
    artifact: digest,
    vars: {},
  });
  const versions = { 1: version(1), 2: version(2) };
  const before = await isolates();
  await cell.push(
    await signedApp(
      appDocument("acme/old", digest, { versions, traffic: [{ version: 2, weight: 100 }] }),
    ),
  );
  while ((await isolates()) !== before - 1);
  expect(await get("v1--old")).toBe("1");
});

test("hundreds of workers under a small bound do not grow the process", async () => {
  const resident = async () =>
    Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${cell.pid}/status`, "utf8"))?.[1]);
  // Several at a time: an isolate that is ended while others are called once stayed for ever
  const round = async (from: number, to: number) => {
    let next = from;
    const caller = async () => {
      while (next < to) {
        const name = `many-${next++}`;
        await cell.deploy(`acme/${name}`, COUNTER);
        expect(await get(name)).toBe("1");
      }
    };
    await Promise.all(Array.from({ length: 8 }, caller));
  };
  // How much V8 holds on to differs with how busy the machine is; 150 workers that stayed would
  // add 250 MB each time
  let before = 0;
  let after = Number.POSITIVE_INFINITY;
  for (let at = 0; at < 900 && after - before >= 60_000; at += 150) {
    before = await resident();
    await round(at, at + 150);
    after = await resident();
    expect(await isolates()).toBeLessThanOrEqual(30);
  }
  expect(after - before).toBeLessThan(60_000);
});

test("a damaged artifact is fetched again, and refused when it stays damaged", async () => {
  const { blob, digest } = artifactOf(`${COUNTER} // healed`);
  const damaged = blob.toReversed();
  cell.artifacts.set(digest, [damaged, blob]);
  await cell.push(await signedApp(appDocument("acme/healed", digest)));
  expect(await get("healed")).toBe("1");
  // Either that call met the damaged bytes or the prefetch of the push did
  await expect.poll(() => cell.hostRequests).toContain(`/artifacts/${digest}?refetch=1`);

  const broken = artifactOf(`${COUNTER} // broken`);
  cell.artifacts.set(broken.digest, [damaged]);
  await cell.push(await signedApp(appDocument("acme/broken", broken.digest)));
  const response = await cell.call("broken--acme.localhost", "/");
  expect([response.statusCode, (await jsonOf(response))["reason"]]).toEqual([
    500,
    "BUNDLE_REJECTED",
  ]);
  cell.artifacts.set(broken.digest, [broken.blob]);
  while ((await get("broken")) !== "1");
});

test("an artifact that nobody has is a typed problem, and served as soon as it is there", async () => {
  const { blob, digest } = artifactOf(`${COUNTER} // absent`);
  await cell.push(await signedApp(appDocument("acme/absent", digest)));
  const response = await cell.call("absent--acme.localhost", "/");
  expect([response.statusCode, (await jsonOf(response))["reason"]]).toEqual([
    503,
    "CONTROL_UNAVAILABLE",
  ]);
  cell.artifacts.set(digest, [blob]);
  while ((await get("absent")) !== "1");
});

test("a module that throws on load is a problem without stack, and a log line with it", async () => {
  await cell.deploy(
    "acme/throws",
    "function start() { throw new RangeError('no luck'); }\nstart();\nexport default {};",
  );
  const response = await cell.call("throws--acme.localhost", "/");
  const problem = await jsonOf(response);
  expect([response.statusCode, problem["reason"]]).toEqual([502, "LOAD_FAILED"]);
  expect(JSON.stringify(problem)).not.toMatch(/no luck|main\.js/);
  const line = JSON.parse((await cell.line(/RangeError: no luck/)).slice(25));
  expect(line).toMatchObject({
    l: "error",
    m: "RangeError: no luck",
    s: expect.stringContaining("main.js:1:26"),
  });
});

test("POST /quarantine loads a version, tries requests, and tells why it fails", async () => {
  const source =
    "export default { async fetch(r) { return new Response(r.method + new URL(r.url).pathname + await r.text(), { status: 201 }); } }";
  const run = async (code: string, requests?: object[]) => {
    const { blob, digest } = artifactOf(code);
    cell.artifacts.set(digest, [blob]);
    const version = { versionId: "ver_1", number: 1, artifact: digest, vars: {} };
    return cell.admin("/quarantine", { app: "acme/new", version, requests });
  };
  const before = await isolates();
  expect(await run(source, [{ method: "POST", path: "/x", body: "y" }])).toMatchObject({
    ok: true,
    loadMs: expect.any(Number),
    answers: [{ status: 201, body: "POST/xy" }],
  });
  expect(await run("throw new Error('at load')")).toMatchObject({
    ok: false,
    reason: "LOAD_FAILED",
    message: "Error: at load",
    stack: expect.stringContaining("main.js:1"),
  });
  expect(await run("syntax error here")).toMatchObject({
    ok: false,
    reason: "LOAD_FAILED",
    message: expect.stringContaining("SyntaxError"),
  });
  expect(await run("export const x = 1")).toMatchObject({
    ok: false,
    reason: "LOAD_FAILED",
    message: expect.stringContaining("answers no requests"),
  });
  expect(await run("import 'missing'; export default {}")).toMatchObject({
    ok: false,
    reason: "LOAD_FAILED",
  });
  expect(await isolates()).toBe(before);
});

test("GET /ping drains records of what finished, and the ledger names an app before its call", async () => {
  await cell.admin("/ping");
  await cell.deploy(
    "acme/booked",
    "export default { fetch(r) { if (r.url.endsWith('/bad')) throw new Error('x'); return new Response('', { status: 201 }); } }",
  );
  cell.lines.length = 0;
  await get("booked", "/a?secret=1");
  await get("booked", "/bad");
  const { records, inflight } = await cell.admin<{ records: object[]; inflight: object[] }>(
    "/ping",
  );
  expect(inflight).toEqual([]);
  expect(records).toMatchObject([
    {
      app: "acme/booked",
      version: 1,
      method: "GET",
      path: "/a",
      status: 201,
      outcome: "succeeded",
      cold: true,
    },
    { path: "/bad", status: 502, outcome: "failed", reason: "GUEST_ERROR", cold: false },
  ]);
  expect(cell.lines.filter((line) => line.includes('"t":"enter"'))).toHaveLength(1);
  expect(cell.lines[0]).toMatch(
    /^trusted \{"t":"enter","app":"acme\/booked","version":1,"id":"exe_r\d+"\}$/,
  );
  await get("booked");
  await cell.line(/"t":"enter"/);
  expect((await cell.admin<{ records: object[] }>("/ping")).records).toHaveLength(1);
});
