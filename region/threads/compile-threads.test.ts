import { afterEach, expect, test } from "vitest";
import type { CompileStep, CompileTask } from "./task.ts";
import { CompileThreads } from "./compile-threads.ts";

/** A thread that does what its task's archive is called. */
const OBEDIENT = `
  import { parentPort, threadId } from "node:worker_threads";
  const answer = (message, idle = true) => parentPort.postMessage(
    { kind: "result", result: { ok: false, reason: "COMPILE_FAILED", message, diagnostics: [] }, idle });
  parentPort.on("message", ({ kind, task }) => {
    if (kind !== "task") return;
    const step = { kind: "log", stream: "stdout", text: task.archive };
    parentPort.postMessage({ kind: "steps", steps: [step] });
    if (task.archive === "loop") for (;;);
    if (task.archive === "eat") for (const all = []; ; ) all.push(new Array(10_000).fill(0.5));
    if (task.archive === "throw") throw new Error("broken");
    if (task.archive === "exit") process.exit();
    answer(String(threadId), task.archive !== "grow");
  });
`;

let threads: CompileThreads;
afterEach(() => threads.close());

function start(): CompileThreads {
  const entry = new URL(`data:text/javascript,${encodeURIComponent(OBEDIENT)}`);
  threads = new CompileThreads({ entry, graceMs: 10, memoryBytes: 64 * 1024 * 1024 });
  return threads;
}

function taskTo(archive: string, timeoutMs = 60_000): CompileTask {
  const folders = { source: "", output: "", cache: "", downloads: "" };
  const request = { folders, owner: "test", packageHosts: undefined, timeoutMs };
  return { archive, walls: { kind: "refused", why: "a test" }, request };
}

const never = new AbortController().signal;

test("CompileThreads.run() keeps a thread for the next compile, but for one that grew", async () => {
  const { run } = bind(start());
  const [first, second] = [await run(taskTo("a")), await run(taskTo("grow"))];
  expect(second).toEqual(first);
  expect(await run(taskTo("a"))).not.toEqual(first);
});

test("CompileThreads.run() passes steps on", async () => {
  const steps: CompileStep[] = [];
  await start().run(taskTo("a"), (step) => steps.push(step), never);
  expect(steps).toEqual([{ kind: "log", stream: "stdout", text: "a" }]);
});

test("CompileThreads.run() ends what computes without end, when its time is over", async () => {
  const { run } = bind(start());
  expect(await run(taskTo("loop", 50))).toMatchObject({ ok: false, reason: "COMPILE_TIMED_OUT" });
  expect(await run(taskTo("a"))).toMatchObject({ reason: "COMPILE_FAILED" });
});

test("CompileThreads.run() lets others compile meanwhile, and ends when it is cancelled", async () => {
  const controller = new AbortController();
  let begun = () => {};
  const started = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const looping = start().run(taskTo("loop"), begun, controller.signal);
  await started;
  expect(await bind(threads).run(taskTo("a"))).toMatchObject({ reason: "COMPILE_FAILED" });
  controller.abort(new Error("left"));
  await expect(looping).rejects.toThrow("left");
});

test("CompileThreads.run() of what takes too much memory fails and harms nobody", async () => {
  const { run } = bind(start());
  expect(await run(taskTo("eat"))).toMatchObject({ reason: "COMPILE_OUT_OF_MEMORY" });
  expect(await run(taskTo("a"))).toMatchObject({ reason: "COMPILE_FAILED" });
});

test("CompileThreads.run() fails when a thread breaks, and the next one works", async () => {
  const { run } = bind(start());
  await expect(run(taskTo("throw"))).rejects.toThrow("broken");
  await expect(run(taskTo("exit"))).rejects.toThrow("ended by itself");
  expect(await run(taskTo("a"))).toMatchObject({ reason: "COMPILE_FAILED" });
});

function bind(all: CompileThreads) {
  return { run: (task: CompileTask) => all.run(task, () => {}, never) };
}
