/**
 * Apps that do harm. While each does, an app of another organization is called without pause and
 * must never fail; the app's own organization may wait once, and is back after.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Ignite } from "../../sdk/client.ts";
import { appRef } from "../../sdk/names.ts";
import { clientOf, deploySource, newOrganization } from "../harness/apps.ts";
import { startPlatform, type TestPlatform, until } from "../harness/platform.ts";

const TICKS = `export default { fetch(_request: Request, _env: unknown, context: ExecutionContext) {
  context.waitUntil((async () => {
    for (let tick = 1; ; tick++) {
      console.log("tick", tick);
      await new Promise((done) => setTimeout(done, 1_000));
    }
  })());
  return new Response("started");
} };
interface ExecutionContext { waitUntil(work: Promise<unknown>): void }
`;

/** An app that does `harm` at /harm. */
const harmful = (harm: string) => `export default { async fetch(request: Request) {
  if (new URL(request.url).pathname !== "/harm") return new Response("fine");
  const kept: unknown[] = [];
  ${harm}
} };
`;

const LOOPS = {
  spin: "for (;;) {}",
  microtasks: "for (;;) await null;",
  regex: `return new Response(String(/^(a+)+$/.test("a".repeat(60) + "b")));`,
};

const BOMBS = {
  heap: "for (;;) kept.push({ n: [Math.random(), String(kept.length)] });",
  buffers: "for (;;) kept.push(new Uint8Array(8 * 1024 * 1024).fill(1));",
  wasm: `for (;;) {
    const memory = new WebAssembly.Memory({ initial: 1024 });
    new Uint8Array(memory.buffer).fill(1);
    kept.push(memory);
  }`,
};

let platform: TestPlatform;
let local: Ignite;
let acme: Ignite;
let ticksStartedMs: number;

beforeAll(async () => {
  platform = await startPlatform();
  local = clientOf(platform);
  acme = await newOrganization(platform, "acme");
  const fine = `export default { fetch: () => new Response("fine") };\n`;
  await deploySource(local, "local/fine", fine);
  await deploySource(acme, "acme/fine", fine);
  await deploySource(acme, "acme/ticks", TICKS);
  expect((await call("acme/fine")).text).toBe("fine");
  expect((await call("acme/ticks")).text).toBe("started");
  ticksStartedMs = Date.now();
});

afterAll(() => platform.dispose());

interface Answer {
  status: number;
  text: string;
}

async function call(app: string, path = "/", init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${platform.url}/@${app}${path}`, init);
  return { status: response.status, text: await response.text() };
}

const reasonOf = ({ text }: Answer) => (JSON.parse(text) as { reason: string }).reason;

/** Calls `app` without pause while `work` runs; answers what was not "fine". */
async function failuresWhile(app: string, work: Promise<unknown>): Promise<Answer[]> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  const failures: Answer[] = [];
  while (!isDone) {
    const answer = await call(app);
    if (answer.text !== "fine") failures.push(answer);
    await sleep(1);
  }
  await done;
  return failures;
}

const isBack = (app: string) =>
  until(`${app} answers`, async () => (await call(app)).text === "fine");

test.each(Object.entries(LOOPS))(
  "a %s loop is stopped; the second time nobody else notices",
  async (name, harm) => {
    const app = `local/${name}`;
    await deploySource(local, app, harmful(harm));
    const first = call(app, "/harm");
    expect(await failuresWhile("acme/fine", first)).toEqual([]);
    expect((await first).status, (await first).text).toBe(503);
    expect(reasonOf(await first)).toBe("CPU_EXCEEDED");
    await isBack("local/fine");
    await isBack(app);
    const second = call(app, "/harm");
    expect(await failuresWhile("local/fine", second)).toEqual([]);
    expect(reasonOf(await second)).toBe("CPU_EXCEEDED");
    await until("its executions", async () => {
      const { executions } = await local.compute.listExecutions({ app: appRef(app) });
      const exceeded = executions.filter(({ failure }) => failure?.reason === "CPU_EXCEEDED");
      return exceeded.length === 2 && exceeded.every(({ requestPath }) => requestPath === "/harm");
    });
  },
);

test.each(Object.entries(BOMBS))(
  "a bomb of %s ends in a typed 503 and harms nobody else",
  async (name, harm) => {
    const app = `local/${name}`;
    await deploySource(local, app, harmful(harm), { limits: { cpuMs: 20_000 } });
    await call(app);
    const bombing = call(app, "/harm");
    expect(await failuresWhile("acme/fine", bombing)).toEqual([]);
    expect((await bombing).status, (await bombing).text).toBe(503);
    expect(["MEMORY_EXCEEDED", "CELL_LOST"]).toContain(reasonOf(await bombing));
    await isBack("local/fine");
    await isBack(app);
  },
);

test("a flood of log lines is capped, and the log says so", async () => {
  const flood = `for (let line = 0; line < 20_000; line++) console.log("flood", line, "x".repeat(500));
  return new Response("wet");`;
  await deploySource(local, "local/flood", harmful(flood), { limits: { cpuMs: 20_000 } });
  const flooding = call("local/flood", "/harm");
  expect(await failuresWhile("acme/fine", flooding)).toEqual([]);
  expect((await flooding).text).toBe("wet");
  const logs = await until("the mark", async () => {
    const { stdout } = await platform.ignite(["logs", "local/flood"]);
    return /left out|allowance/.test(stdout) && stdout;
  });
  expect(Buffer.byteLength(logs)).toBeLessThan(4 * 1024 * 1024);
});

test("streams without an end keep nobody from being served, and end with their reader", async () => {
  const endless = `let left = 0;
  request.signal.addEventListener("abort", () => left++);
  return new Response(new ReadableStream({ async pull(out) {
    out.enqueue(new Uint8Array(65_536));
    await new Promise((done) => setTimeout(done, 1));
  } }));`;
  await deploySource(local, "local/endless", harmful(endless));
  const leaving = new AbortController();
  const readers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const answer = await fetch(`${platform.url}/@local/endless/harm`, leaving);
      const reader = answer.body?.getReader();
      await reader?.read();
      return reader;
    }),
  );
  for (const app of ["local/fine", "acme/fine", "local/endless"]) {
    expect((await call(app)).text).toBe("fine");
  }
  leaving.abort();
  await Promise.allSettled(readers.map((reader) => reader?.cancel()));
  expect((await call("local/endless")).text).toBe("fine");
});

test("answers that are no HTTP become problem documents", async () => {
  const cases = {
    header: `return new Response("x", { headers: { "x-long": "x".repeat(200_000) } });`,
    many: `const headers = new Headers();
      for (let n = 0; n < 5_000; n++) headers.append("x-" + n, "1");
      return new Response("x", { headers });`,
    nothing: "return undefined as never;",
    text: `return "text" as never;`,
    depth: "const deeper = (): number => deeper() + 1; return new Response(String(deeper()));",
  };
  for (const [name, harm] of Object.entries(cases)) {
    await deploySource(local, `local/odd-${name}`, harmful(harm));
    const answer = await fetch(`${platform.url}/@local/odd-${name}/harm`);
    expect([502, 503], name).toContain(answer.status);
    expect(answer.headers.get("content-type"), name).toBe("application/problem+json");
    await answer.body?.cancel();
    expect((await call(`local/odd-${name}`)).text).toBe("fine");
  }
});

test("an app that calls itself without end is stopped", async () => {
  const { port } = new URL(platform.url);
  const address = `http://loop--local.localhost:${port}/harm`;
  await deploySource(local, "local/loop", harmful(`return fetch("${address}");`));
  const looping = call("local/loop", "/harm");
  expect(await failuresWhile("acme/fine", looping)).toEqual([]);
  expect((await looping).status).toBe(508);
  await isBack("local/loop");
});

test("waitUntil work is cut at its limit", { timeout: 90_000 }, async () => {
  const LIMIT_S = 30;
  const ticks = async () => {
    let last = 0;
    for await (const { event } of acme.compute.tailLogs({ app: appRef("acme/ticks") })) {
      if (event.case === "entry") last = Number(event.value.message.split(" ")[1]);
    }
    return last;
  };
  const overMs = ticksStartedMs + (LIMIT_S + 4) * 1_000;
  await until("more than its limit", () => Date.now() > overMs, 60_000);
  const last = await ticks();
  expect(last).toBeGreaterThan(LIMIT_S / 2);
  expect(last).toBeLessThanOrEqual(LIMIT_S + 2);
  await sleep(2_000);
  expect(await ticks()).toBe(last);
});
