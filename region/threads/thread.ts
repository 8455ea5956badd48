/**
 * A thread that compiles one task after another. What it computes on is a stranger's, so it may
 * be ended at any time; it keeps nothing between tasks.
 */
import { createReadStream } from "node:fs";
import { getHeapStatistics } from "node:v8";
import { parentPort } from "node:worker_threads";
import { unpackArchive } from "../../compiler/archive.ts";
import { compile } from "../../compiler/compile.ts";
import { processWithin } from "../../compiler/jail.ts";
import { nodeFileSystem } from "../../compiler/node-file-system.ts";
import type { CompileResult, CompileSink } from "../../compiler/request.ts";
import { IgniteError, type IgniteErrorInit } from "../../core/errors.ts";
import { gatherSteps } from "./steps.ts";
import type { CompileTask, FromThread, ToThread } from "./task.ts";

const HEAP_KEPT_BYTES_MAX = 128 * 1024 * 1024; // A larger one is rather given back

let controller = new AbortController();

parentPort?.on("message", (message: ToThread) => {
  if (message.kind === "cancel") return controller.abort(new Error("nobody waits for it"));
  controller = new AbortController();
  void run(message.task, controller.signal);
});

async function run(task: CompileTask, signal: AbortSignal): Promise<void> {
  const steps = gatherSteps((all) => send({ kind: "steps", steps: all }));
  const idle = () => getHeapStatistics().total_heap_size <= HEAP_KEPT_BYTES_MAX;
  try {
    const result = await unpackAndCompile(task, steps, signal);
    steps.flush();
    const moved = result.ok ? [result.artifact.buffer] : [];
    send({ kind: "result", result, idle: idle() }, moved);
  } catch (caught) {
    steps.flush();
    send({ kind: "error", error: plain(IgniteError.from(caught)), idle: idle() });
  }
}

function plain({ code, reason, message, internal, hint, details }: IgniteError): IgniteErrorInit {
  const more = { ...(internal === undefined ? {} : { internal }), ...(hint ? { hint } : {}) };
  return { code, reason, message, details, ...more };
}

async function unpackAndCompile(
  { archive, walls, request }: CompileTask,
  steps: CompileSink,
  signal: AbortSignal,
): Promise<CompileResult> {
  const { source } = request.folders;
  await unpackArchive(createReadStream(archive), source, { signal });
  const ports = { files: nodeFileSystem(source), process: processWithin(walls) };
  return compile(ports, { ...request, signal }, steps);
}

function send(message: FromThread, moved: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, moved);
}
