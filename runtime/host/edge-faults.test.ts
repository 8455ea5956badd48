import { expect, test } from "vitest";
import { innermostPid } from "./watchdog/process-usage.ts";
import { closedAfterEach, type EdgeFixture } from "./testing/edge-fixture.ts";

const start = closedAfterEach();

const HELLO = `export default { fetch() { return new Response("hello"); } };`;
const SPIN = `export default { fetch(request) {
  if (new URL(request.url).pathname === "/spin") for (;;) {}
  return new Response("spinner");
} };`;
/** Collecting garbage in vain takes CPU too, which must not end the guest first. */
const PATIENT = { memoryMb: 128, cpuMs: 20_000, timeoutMs: 30_000, bodyMb: 100, methods: [] };
const BOMB = `export default { fetch(request) {
  const kept = [];
  if (new URL(request.url).pathname === "/heap") for (;;) kept.push({ n: [Math.random()] });
  return new Response("bomb");
} };`;

function cellOf({ edge }: EdgeFixture, group: string) {
  return edge.health().cells.find((cell) => cell.group === group);
}

test("a guest that spins is stopped, moved to a cell of its own and reported", async () => {
  const fixture = await start();
  const { publish, call, executions } = fixture;
  await publish("acme/hello", HELLO);
  await publish("acme/spin", SPIN);
  await call("acme/hello");
  await call("acme/spin");
  const spinning = call("acme/spin", "/spin");
  const answer = await spinning;
  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.text)).toMatchObject({ reason: "CPU_EXCEEDED", status: 503 });
  expect((await call("acme/hello")).text).toBe("hello");
  expect((await call("acme/spin")).text).toBe("spinner");
  expect(cellOf(fixture, "acme/spin")).toBeDefined();
  await expect
    .poll(() => executions.find(({ reason }) => reason === "CPU_EXCEEDED"))
    .toMatchObject({ app: "acme/spin", path: "/spin", version: 1, outcome: "failed" });
  const record = executions.find(({ reason }) => reason === "CPU_EXCEEDED");
  expect(record?.durationMs).toBeGreaterThan(500); // What it burned, not when it was found lost
  await expect
    .poll(() => fixture.logs.find(({ executionId }) => executionId === record?.id)?.message)
    .toBe("[ignite] GET /spin: The app used up its CPU time and was stopped.");

  let failures = 0;
  const again = call("acme/spin", "/spin");
  let isDone = false;
  void again.then(() => (isDone = true));
  while (!isDone) failures += (await call("acme/hello")).status === 200 ? 0 : 1;
  expect((await again).status).toBe(503);
  expect(failures).toBe(0);
});

test("a guest that fills its heap ends its cell and gets a typed answer", async () => {
  const fixture = await start();
  const { publish, call, executions } = fixture;
  await publish("acme/bomb", BOMB, { limits: PATIENT });
  await publish("other/hello", HELLO);
  await call("other/hello");
  await call("acme/bomb");
  const answer = await call("acme/bomb", "/heap");
  expect(answer.status).toBe(503);
  expect((await call("other/hello")).status).toBe(200);
  await expect
    .poll(() => executions.find(({ path }) => path === "/heap")?.reason)
    .toBe("MEMORY_EXCEEDED");
  expect((await call("acme/bomb")).text).toBe("bomb");
});

test("a killed cell is succeeded by another; control may be away", async () => {
  const fixture = await start();
  const { publish, call, edge, stopControl } = fixture;
  await publish("acme/hello", HELLO);
  await call("acme/hello");
  await stopControl();
  const before = cellOf(fixture, "acme");
  expect(edge.killCell(before?.id ?? "")).toBe(true);
  const statuses = new Set<number>();
  for (let at = 0; at < 50; at += 1) statuses.add((await call("acme/hello")).status);
  expect(Array.from(statuses)).toEqual([200]);
  expect(cellOf(fixture, "acme")?.id).not.toBe(before?.id);
});

test("tryVersion() tells a version that throws or loops while it is loaded", async () => {
  const { publish, edge } = await start();
  const versionOf = (artifact: Awaited<ReturnType<typeof publish>>) => ({
    versionId: "ver_1",
    number: 1,
    artifact,
    vars: {},
  });
  const good = await publish("acme/good", HELLO);
  const trial = {
    app: "acme/good",
    version: versionOf(good),
    requests: [{ method: "GET", path: "/" }],
  };
  expect(await edge.tryVersion(trial)).toMatchObject({
    ok: true,
    answers: [{ status: 200, body: "hello" }],
  });
  const throwing = await publish("acme/bad", `throw new Error("at once");`);
  expect(await edge.tryVersion({ app: "acme/bad", version: versionOf(throwing) })).toMatchObject({
    ok: false,
    reason: "LOAD_FAILED",
  });
  const looping = await publish("acme/loop", `for (;;) {}`);
  expect(await edge.tryVersion({ app: "acme/loop", version: versionOf(looping) })).toMatchObject({
    ok: false,
    reason: "LOAD_FAILED",
    message: expect.stringContaining("without end"),
  });
});

test("a request that changes something is not repeated when its cell ends, but answered", async () => {
  const fixture = await start();
  const { publish, call, edge, executions } = fixture;
  const hanging = `export default { async fetch(request) {
    if (new URL(request.url).pathname === "/hang") await new Promise((done) => setTimeout(done, 60_000));
    return new Response(request.method);
  } };`;
  await publish("acme/slow", hanging);
  for (let round = 0; round < 3; round += 1) await call("acme/slow", "/", { method: "POST" });
  const waiting = call("acme/slow", "/hang", { method: "POST", body: "x" });
  const inflight = () => cellOf(fixture, "acme")?.inflight;
  await expect.poll(inflight).toBe(1);
  edge.killCell(cellOf(fixture, "acme")?.id ?? "");
  const answer = await waiting;
  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.text)).toMatchObject({ reason: "CELL_LOST" });
  expect((await call("acme/slow", "/", { method: "POST" })).text).toBe("POST");
  await expect
    .poll(() => executions.find(({ path }) => path === "/hang"))
    .toMatchObject({ app: "acme/slow", reason: "CELL_LOST", outcome: "failed", method: "POST" });
});

test("a cell that gets no CPU is not taken for a loop", async () => {
  const fixture = await start();
  const { publish, call, edge } = fixture;
  await publish("acme/hello", HELLO);
  await call("acme/hello");
  const cell = cellOf(fixture, "acme");
  const pid = await innermostPid(cell?.pid ?? 0);
  process.kill(pid, "SIGSTOP");
  const waiting = call("acme/hello");
  await expect.poll(() => /watchdog_starved_total (\d+)/.exec(edge.metrics())?.[1]).toBe("1");
  process.kill(pid, "SIGCONT");
  expect((await waiting).text).toBe("hello");
  expect(cellOf(fixture, "acme")?.id).toBe(cell?.id);
  expect(edge.metrics()).toContain("watchdog_loops_total 0");
});

test("memory that V8 does not count ends the guest's cell alone", async () => {
  const fixture = await start();
  const { publish, call } = fixture;
  await publish(
    "acme/buffers",
    `export default { fetch(request) {
      const kept = [];
      if (new URL(request.url).pathname === "/fill") {
        for (;;) kept.push(new Uint8Array(16 * 1024 * 1024).fill(1));
      }
      return new Response("ok");
    } };`,
  );
  await publish("other/hello", HELLO);
  await call("acme/buffers");
  await call("other/hello");
  const filling = call("acme/buffers", "/fill");
  expect((await call("other/hello")).status).toBe(200);
  expect([500, 503]).toContain((await filling).status);
  expect((await call("acme/buffers")).text).toBe("ok");
});

test("the front comes back by itself with its routes", async () => {
  const { publish, call, edge } = await start();
  await publish("acme/hello", HELLO);
  await call("acme/hello");
  const { pid } = edge.health().front;
  process.kill(pid ?? 0, "SIGKILL");
  await expect
    .poll(() =>
      call("acme/hello").then(
        ({ text }) => text,
        () => "down",
      ),
    )
    .toBe("hello");
  expect(edge.health().front.restarts).toBe(1);
});

test("a guest that loops behind its answer is found and gets a cell of its own", async () => {
  const fixture = await start();
  const { organization, publish, call, executions } = fixture;
  for (const org of ["sha", "shb"]) await organization(org, { isolation: "shared" });
  await publish("shb/hello", HELLO);
  await publish(
    "sha/later",
    `export default { fetch(request, env, context) {
      context.waitUntil(new Promise((done) => setTimeout(done, 50)).then(() => { for (;;); }));
      return new Response("later");
    } };`,
  );
  const next = async () => {
    await call("shb/hello");
    await call("sha/later");
    return cellOf(fixture, "sha/later")?.group;
  };
  await expect.poll(next, { timeout: 60_000 }).toBe("sha/later");
  await expect.poll(async () => (await call("shb/hello")).text).toBe("hello");
  expect(executions.filter(({ reason }) => reason === "CPU_EXCEEDED")).toEqual([]);
});

test("a schema that loops is its own app's fault", async () => {
  const fixture = await start();
  const { publish, call } = fixture;
  const pattern = { type: "object", properties: { a: { type: "string", pattern: "^(a+)+$" } } };
  await publish("acme/hello", HELLO);
  await publish("acme/schema", HELLO, { schema: { input: pattern } });
  expect((await call("acme/hello")).text).toBe("hello");
  const body = JSON.stringify({ a: `${"a".repeat(45)}!` });
  const answer = await call("acme/schema", "/", { method: "POST", body });
  expect([answer.status, JSON.parse(answer.text).reason]).toEqual([503, "CPU_EXCEEDED"]);
  await call("acme/schema");
  expect(cellOf(fixture, "acme/schema")).toBeDefined();
});
