import { TraceMap } from "@jridgewell/trace-mapping";
import { expect, test } from "vitest";
import { manualClock } from "../../../core/clock.ts";
import type { LogRecord } from "../../../core/deployment.ts";
import type { Digest } from "../../../core/ids.ts";
import { logBytesPerExecutionMax, logLineBytesMax } from "../../../core/limits.ts";
import { IgniteError } from "../../../core/errors.ts";
import { silentLog } from "../../../core/log.ts";
import { CellOutput } from "./cell-output.ts";
import { GuestLogs, type LogEntry } from "./guest-logs.ts";
import { Shipper } from "./shipper.ts";
import { mapStack, type SourceMaps } from "./source-maps.ts";
import { TokenBucket } from "./token-bucket.ts";

const artifact = "a".repeat(64) as Digest;

test("CellOutput reads lines of known tokens only", () => {
  const output = new CellOutput("T");
  const declared = `T {"t":"isolate","key":"K","app":"acme/a","version":2,"artifact":"${artifact}"}`;
  expect(output.read('K {"t":"log","l":"log","m":"early"}', 5).kind).toBe("noise");
  expect(output.read(declared, 5).kind).toBe("isolate");
  expect(
    output.read(
      'T {"t":"enter","app":"acme/a","version":2,"id":"exe_01jc0000000000000000000001"}',
      5,
    ),
  ).toEqual({
    kind: "enter",
    entry: { id: "exe_01jc0000000000000000000001", app: "acme/a", version: 2 },
  });
  expect(
    output.read('K {"t":"log","x":"exe_01jc0000000000000000000001","l":"warn","m":"hi"}', 5),
  ).toMatchObject({
    kind: "log",
    artifact,
    record: {
      app: "acme/a",
      version: 2,
      executionId: "exe_01jc0000000000000000000001",
      level: "warn",
      message: "hi",
      timeMs: 5,
    },
  });
  for (const line of [
    "",
    "hello",
    "X {}",
    "workerd/x.c++:1: error: y",
    '{"t":"enter"}',
    "K not json",
  ]) {
    expect(["noise", "log"], line).toContain(output.read(line, 5).kind);
  }
  expect(output.read(`K ${declared}`, 5).kind).toBe("log"); // A guest cannot declare
});

test("TokenBucket lets a burst pass and then so much a second", () => {
  const clock = manualClock(0);
  const bucket = new TokenBucket({ clock, perSecond: 10, burst: 20 });
  expect(bucket.take(20)).toBe(true);
  expect(bucket.take(1)).toBe(false);
  clock.advance(500);
  expect(bucket.take(5)).toBe(true);
  expect(bucket.take(1)).toBe(false);
  clock.advance(3_600_000);
  expect(bucket.take(21)).toBe(false);
});

test("GuestLogs keep order while stacks are mapped, and mark what was dropped", async () => {
  const seen: LogEntry[] = [];
  const clock = manualClock(0);
  const maps = {
    applyTo: (line: LogRecord) =>
      line.stack === undefined
        ? line
        : new Promise((resolve) =>
            setImmediate(() => resolve({ ...line, stack: `mapped ${line.stack}` })),
          ),
  } as unknown as SourceMaps;
  const logs = new GuestLogs({ clock, maps, onEntries: (entries) => seen.push(...entries) });
  logs.add({ ...record("one"), stack: "at x" }, artifact, 10);
  logs.add(record("two"), artifact, 10);
  logs.add(record("too much"), artifact, logBytesPerExecutionMax);
  logs.add(record("also"), artifact, logBytesPerExecutionMax);
  clock.advance(10_000);
  logs.add(record("three"), artifact, 10);
  await logs.flush();
  expect(seen.map((entry) => ("message" in entry ? entry.message : entry.dropped))).toEqual([
    "one",
    "two",
    2,
    "three",
  ]);
  expect(seen[0]).toMatchObject({ stack: "mapped at x" });
  expect(logs.dropped).toBe(2);
});

test("Shipper sends each item once, in order, through failures, and bounds what waits", async () => {
  const arrived: number[] = [];
  const batches = new Set<number>();
  let failures = 3;
  const shipper = new Shipper<number>({
    name: "test",
    log: silentLog,
    gatherMs: 0,
    itemsMax: 5,
    async send(batch, items) {
      if (failures-- > 0) throw failure("unavailable");
      expect(batches.has(batch)).toBe(false);
      batches.add(batch);
      arrived.push(...items);
    },
  });
  shipper.push([1, 2, 3]);
  shipper.push([4, 5, 6, 7]);
  await expect
    .poll(() => shipper.counts)
    .toEqual({
      dropped: 2,
      sent: 5,
      waiting: 0,
    });
  shipper.push([8]);
  await shipper.close(1_000);
  expect(arrived).toEqual([1, 2, 3, 4, 5, 8]);
});

test("an item that control refuses costs itself, and no other", async () => {
  const arrived: number[] = [];
  const shipper = new Shipper<number>({
    name: "test",
    log: silentLog,
    gatherMs: 0,
    async send(_batch, items) {
      if (items.includes(7)) throw failure("internal");
      arrived.push(...items);
    },
  });
  const items = Array.from({ length: 100 }, (_, at) => at);
  shipper.push(items);
  await expect.poll(() => shipper.counts).toEqual({ dropped: 1, sent: 99, waiting: 0 });
  expect(arrived).toEqual(items.filter((item) => item !== 7));
});

test("what a guest wrote past its own bounds is cut, and its ids are read strictly", () => {
  const output = new CellOutput("T");
  output.read(`T {"t":"isolate","key":"K","app":"acme/a","version":2,"artifact":"${artifact}"}`, 5);
  const read = (fields: object) => {
    const line = output.read(`K ${JSON.stringify({ t: "log", ...fields })}`, 5);
    return line.kind === "log" ? line.record : undefined;
  };
  expect(read({ x: "exe_\0", m: "hi" })).toMatchObject({ executionId: undefined, message: "hi" });
  expect(read({ m: "x".repeat(100_000) })?.message).toHaveLength(2 * logLineBytesMax);
  expect(read({ s: "x".repeat(100_000) })?.stack).toHaveLength(2 * logLineBytesMax);
  expect(read({ m: "x".repeat(300_000) })?.message).toContain("too long");
});

test("mapping a stack takes work in proportion to its length", () => {
  // One run of characters that file names may have: in the square of its length this takes hours
  const stack = `${"a".repeat(4 * 1024 * 1024)}\n    at main.js:1:1`;
  const map = new TraceMap({ version: 3, sources: ["main.ts"], names: [], mappings: "AAAA" });
  expect(mapStack(stack, { main: "main.js", map })).toMatch(/main\.ts:1:1$/);
});

function failure(code: "unavailable" | "internal"): IgniteError {
  return new IgniteError({ code, reason: "INTERNAL", message: "no" });
}

function record(message: string): LogRecord {
  const level = "log" as const;
  return {
    app: "acme/a",
    version: 1,
    executionId: undefined,
    timeMs: 0,
    level,
    message,
    stack: undefined,
  };
}
