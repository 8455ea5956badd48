/**
 * Compiles in threads. All that is computed on a stranger's source is computed there and ends with
 * the compile's time at the latest, so no compile holds up the daemon or another one. One thread
 * is kept ready, since starting one takes about as long as a small compile.
 */
import { Worker } from "node:worker_threads";
import type { CompileResult } from "../../compiler/request.ts";
import { IgniteError } from "../../core/errors.ts";
import { compileThreadBytesMax } from "../../core/limits.ts";
import type { CompileStep, CompileTask, FromThread, ToThread } from "./task.ts";

/** Bounds that tests make smaller, and what they run in their stead. */
export interface CompileThreadsOptions {
  /** Module of a thread. */
  entry?: URL;
  /** Heap of one thread. */
  memoryBytes?: number;
  /** How long a thread may still take once its time is over or it was cancelled. */
  graceMs?: number;
}

const GRACE_MS = 2_000; // A compile ends itself in time, but for what it computes on its own
const MIB = 1024 * 1024;
const ENTRY = new URL("./thread.ts", import.meta.url);

/** All threads of the daemon. */
export class CompileThreads {
  readonly #entry: URL;
  readonly #memoryBytes: number;
  readonly #graceMs: number;
  readonly #all = new Set<Worker>();
  #idle: Worker | undefined;
  #closed = false;

  constructor(options: CompileThreadsOptions = {}) {
    this.#entry = options.entry ?? ENTRY;
    this.#memoryBytes = options.memoryBytes ?? compileThreadBytesMax;
    this.#graceMs = options.graceMs ?? GRACE_MS;
  }

  /** Has a thread ready for the next compile. */
  warm(): void {
    if (!this.#closed) this.#idle ??= this.#start();
  }

  /**
   * Unpacks and compiles. Answers and fails as compile() does; a thread that had to be ended makes
   * it a result of COMPILE_TIMED_OUT or COMPILE_OUT_OF_MEMORY.
   */
  async run(
    task: CompileTask,
    onStep: (step: CompileStep) => void,
    signal: AbortSignal,
  ): Promise<CompileResult> {
    signal.throwIfAborted();
    const worker = this.#idle ?? this.#start();
    this.#idle = undefined;
    let reusable = false;
    try {
      const last = await this.#outcome(worker, task, onStep, signal);
      reusable = last.idle;
      signal.throwIfAborted();
      if (last.kind === "error") throw new IgniteError(last.error);
      return last.result;
    } finally {
      await this.#release(worker, reusable);
    }
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, {
      execArgv: ["--disable-warning=ExperimentalWarning"],
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(this.#memoryBytes / MIB) },
    });
    worker.unref();
    this.#all.add(worker);
    worker.once("exit", () => {
      this.#all.delete(worker);
      if (this.#idle === worker) this.#idle = undefined;
    });
    worker.on("error", () => {}); // Whoever waits for it hears of it
    return worker;
  }

  async #release(worker: Worker, reusable: boolean): Promise<void> {
    if (reusable && this.#idle === undefined && !this.#closed) {
      this.#idle = worker;
      return;
    }
    await worker.terminate();
    this.warm();
  }

  #outcome(
    worker: Worker,
    task: CompileTask,
    onStep: (step: CompileStep) => void,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    let stopped: Outcome | undefined;
    let grace: NodeJS.Timeout | undefined;
    const stop = (outcome: Outcome) => {
      stopped ??= outcome;
      post(worker, { kind: "cancel" });
      grace ??= setTimeout(() => resolve(outcome), this.#graceMs);
    };
    const { timeoutMs } = task.request;
    const deadline = setTimeout(() => stop(timedOut(timeoutMs)), timeoutMs);
    const onAbort = () => stop(cancelled);
    const onMessage = (message: FromThread) => {
      if (message.kind === "steps") message.steps.forEach(onStep);
      else
        resolve(message.kind === "error" && stopped ? { ...stopped, idle: message.idle } : message);
    };
    const onError = (error: unknown) => (isOutOfMemory(error) ? resolve(tooBig) : reject(error));
    const onExit = () => reject(new Error("A thread that compiles ended by itself."));
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    signal.addEventListener("abort", onAbort, { once: true });
    post(worker, { kind: "task", task });
    return promise.finally(() => {
      clearTimeout(deadline);
      clearTimeout(grace);
      signal.removeEventListener("abort", onAbort);
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
    });
  }
}

type Outcome = Exclude<FromThread, { kind: "steps" }>;

const cancelled: Outcome = {
  kind: "error",
  error: { code: "canceled", reason: "INTERNAL", message: "The compile was cancelled." },
  idle: false,
};
const tooBig = failure("COMPILE_OUT_OF_MEMORY", "Compiling needed too much memory.");

function timedOut(timeoutMs: number): Outcome {
  return failure("COMPILE_TIMED_OUT", `Compiling took longer than ${timeoutMs} ms.`);
}

function failure(reason: "COMPILE_TIMED_OUT" | "COMPILE_OUT_OF_MEMORY", message: string): Outcome {
  return { kind: "result", result: { ok: false, reason, message, diagnostics: [] }, idle: false };
}

function isOutOfMemory(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY";
}

function post(worker: Worker, message: ToThread): void {
  worker.postMessage(message);
}
