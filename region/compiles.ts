/**
 * Compiles as jobs: each in a folder of its own that is gone afterwards, a few at once, turns taken
 * between organizations. Calls with the same version id share one job, which ends early only when
 * all of them have left.
 */
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Toolchain } from "../compiler/deno/toolchain.ts";
import type { CompileRequest, CompileResult } from "../compiler/request.ts";
import { IgniteError } from "../core/errors.ts";
import type { Digest } from "../core/ids.ts";
import { EventLog } from "./event-log.ts";
import type { FairQueue } from "../core/fair-queue.ts";
import { PackageCaches } from "./package-caches.ts";
import type { BlobStore } from "./ports.ts";
import type { CompileThreads } from "./threads/compile-threads.ts";
import type { CompileStep } from "./threads/task.ts";

/** What is compiled, and for whom. */
export interface CompileJob {
  versionId: string;
  organizationId: string;
  source: Digest;
  override: NonNullable<CompileRequest["override"]>;
  timeoutMs: number;
}

/** What happens while compiling. The last one is `done` or `failed`. */
export type CompileEvent =
  | CompileStep
  | { kind: "done"; result: CompileResult & { ok: true }; durationMs: number }
  | { kind: "rejected"; result: CompileResult & { ok: false } }
  | { kind: "error"; error: unknown };

/** What jobs are done with. */
export interface CompilesOptions {
  /** Folder of work and caches; `work` in it is emptied at start. */
  directory: string;
  /** What compiles need; jobs wait for it. Fails with TOOL_MISSING. */
  tools(): Promise<CompileTools>;
  blobs: BlobStore;
  queue: FairQueue;
  threads: CompileThreads;
}

/** The compiler, and where packages may come from. */
export interface CompileTools {
  toolchain: Toolchain;
  npmRegistry: string;
  jsrRegistry: string | undefined;
  packageHosts: readonly string[];
}

interface Running {
  events: EventLog<CompileEvent>;
  controller: AbortController;
  listeners: number;
  finished: Promise<void>;
}

/** All compiles of the daemon. */
export class Compiles {
  readonly #options: CompilesOptions;
  readonly #caches: PackageCaches;
  readonly #running = new Map<string, Running>();
  readonly #unfinished = new Set<Running>();

  constructor(options: CompilesOptions) {
    this.#options = options;
    this.#caches = new PackageCaches(join(options.directory, "packages"));
  }

  /** Removes what a crash left behind and caches nobody uses. Call before the first job. */
  async prepare(): Promise<void> {
    const work = join(this.#options.directory, "work");
    await rm(work, { recursive: true, force: true });
    await mkdir(work, { recursive: true, mode: 0o700 });
    await this.#caches.dropUnused();
  }

  /** Starts a job or joins the running one, and answers its events from the first on. */
  async *events(job: CompileJob, signal: AbortSignal): AsyncGenerator<CompileEvent> {
    const running = this.#running.get(job.versionId) ?? this.#start(job);
    running.listeners += 1;
    try {
      yield* running.events.read(signal);
    } finally {
      running.listeners -= 1;
      if (running.listeners === 0) {
        // A later call with the same id starts afresh instead of joining what is ending
        this.#forget(job.versionId, running);
        running.controller.abort(new Error("nobody waits for it"));
      }
    }
  }

  /** Cancels all jobs and waits until their folders are gone. */
  async close(): Promise<void> {
    const all = [...this.#unfinished];
    for (const { controller } of all) controller.abort(new Error("the daemon stops"));
    await Promise.all(all.map(({ finished }) => finished));
  }

  #start(job: CompileJob): Running {
    const events = new EventLog<CompileEvent>();
    const controller = new AbortController();
    const { signal } = controller;
    const startedMs = performance.now();
    const finished = this.#options.queue
      .run(job.organizationId, signal, () => this.#compile(job, events, signal))
      .then((result) => {
        const durationMs = Math.round(performance.now() - startedMs);
        events.push(
          result.ok ? { kind: "done", result, durationMs } : { kind: "rejected", result },
        );
      })
      .catch((error: unknown) => events.push({ kind: "error", error }))
      .finally(() => {
        this.#forget(job.versionId, running);
        this.#unfinished.delete(running);
        events.end();
      });
    const running: Running = { events, controller, listeners: 0, finished };
    this.#running.set(job.versionId, running);
    this.#unfinished.add(running);
    return running;
  }

  #forget(versionId: string, running: Running): void {
    if (this.#running.get(versionId) === running) this.#running.delete(versionId);
  }

  async #compile(
    job: CompileJob,
    events: EventLog<CompileEvent>,
    signal: AbortSignal,
  ): Promise<CompileResult> {
    const { directory, blobs, threads } = this.#options;
    const { toolchain, npmRegistry, jsrRegistry, packageHosts } = await this.#options.tools();
    const work = await mkdtemp(join(directory, "work", "compile-"));
    let fetched = false;
    try {
      const folders = await this.#makeFolders(work, job.organizationId, toolchain.downloads);
      const archive = join(work, "source.tar.gz");
      await save(await blobs.read(job.source, signal), archive, signal);
      const { override, timeoutMs, organizationId: owner } = job;
      const open = toolchain.process.walled ? packageHosts : undefined;
      const bounds = { packageHosts: open, timeoutMs };
      const request = { folders, owner, override, npmRegistry, jsrRegistry, ...bounds };
      const task = { archive, walls: toolchain.walls, request };
      const onStep = (step: CompileStep) => {
        fetched ||= step.kind === "progress" && step.phase === "packages";
        events.push(step);
      };
      const result = await threads.run(task, onStep, signal);
      if (result.ok) await blobs.write(result.digest, result.artifact);
      return result;
    } finally {
      await rm(work, { recursive: true, force: true });
      if (fetched) await this.#caches.bound(job.organizationId);
    }
  }

  async #makeFolders(work: string, organizationId: string, downloads: string) {
    const [source, output] = [join(work, "source"), join(work, "output")];
    for (const folder of [source, output]) await mkdir(folder, { mode: 0o755 });
    const cache = await this.#caches.use(organizationId);
    return { source, output, cache, downloads };
  }
}

async function save(source: Readable, path: string, signal: AbortSignal): Promise<void> {
  try {
    await pipeline(source, createWriteStream(path), { signal });
  } catch (cause) {
    signal.throwIfAborted();
    const isFull = (cause as NodeJS.ErrnoException).code === "ENOSPC";
    const full = {
      reason: "STORE_FULL",
      message: "There is no room left for the source.",
    } as const;
    const gone = { reason: "STORE_UNAVAILABLE", message: "The source could not be read." } as const;
    throw new IgniteError({ code: "unavailable", ...(isFull ? full : gone), cause });
  }
}
