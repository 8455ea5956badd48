/**
 * `ignite dev`: watch, compile, serve. The last version that compiled keeps answering while a
 * newer one has errors.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseEnv } from "node:util";
import watcher, { type AsyncSubscription } from "@parcel/watcher";
import ignore, { type Ignore } from "ignore";
import { type Diagnostic, formatDiagnostic } from "../../compiler/diagnostics.ts";
import { createIncrementalCompiler, type IncrementalCompiler } from "../../compiler/incremental.ts";
import type { CompileResult } from "../../compiler/request.ts";
import type { LogRecord } from "../../core/deployment.ts";
import type { IgniteError } from "../../core/errors.ts";
import type { EgressPort } from "../../runtime/host/ports.ts";
import { DevCell } from "./dev-cell.ts";
import type { DevProcess, DevTarget } from "./dev-exchange.ts";
import { type DevFailure, ErrorLog } from "./dev-failure.ts";
import { type DevFront, startDevFront } from "./dev-front.ts";
import { stampOf } from "./tree-stamp.ts";

/** How a session is started. */
export interface DevOptions {
  /** The app's folder, absolute. */
  dir: string;
  /** Packages and tools, kept between sessions and shared by all apps. */
  cacheDir: string;
  host: string;
  port: number;
  inspectorPort: number | undefined;
  egress: EgressPort;
  /** Told about every compile, in order. */
  onBuild: (build: Build) => void;
  /** Each line of the app's log. */
  onLog: (record: LogRecord) => void;
  /** The cell's process ended, by itself or because the app looped; it is started again. */
  onLost: (why: IgniteError) => void;
  /** A request ended in an error of the platform's. */
  onFailure: (failure: DevFailure) => void;
}

/** How a compile went. */
export interface Build {
  ok: boolean;
  /** From the change to the new version answering. */
  tookMs: number;
  /** Formatted errors, or undefined. */
  failure: string | undefined;
  /** Whether an older version answers while this one does not. */
  olderServes: boolean;
  warnings: readonly string[];
}

/** A running session. */
export interface DevSession {
  url: string;
  close(): Promise<void>;
}

const SETTLE_MS = 5; // The watcher gathers the several steps in which editors write a file
const OWN_VARS = ".env";
const NEVER_WATCHED = ["node_modules", ".git", ".ignite", ".wrangler"];

/** Starts a session; it is ready when the first compile is done, well or not. */
export async function startDev(options: DevOptions): Promise<DevSession> {
  const session = new Session(options);
  try {
    await session.start();
  } catch (error) {
    await session.close();
    throw error;
  }
  return session;
}

class Session implements DevSession, DevTarget {
  readonly #options: DevOptions;
  readonly #errors = new ErrorLog();
  readonly #compiled = Promise.withResolvers<void>();
  #compiler: IncrementalCompiler | undefined;
  #cell: DevCell | undefined;
  #front: DevFront | undefined;
  #watcher: AsyncSubscription | undefined;
  #ignored: Ignore | undefined;
  #stamp: string | undefined;
  #failure: string | undefined;
  #changedMs: number | undefined;
  #building: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DevOptions) {
    this.#options = options;
  }

  get url(): string {
    return `http://localhost:${this.#front?.port ?? 0}`;
  }

  get compiled(): Promise<void> {
    return this.#compiled.promise;
  }

  get serves(): boolean {
    return this.#cell?.serves === true;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  async process(): Promise<DevProcess> {
    const running = await this.#cell?.current();
    if (running === undefined) throw new Error("the session is closed");
    return { socketPath: running.cell.frontSocket, lost: running.lost };
  }

  async onFailure(failed: Omit<DevFailure, "log">): Promise<DevFailure> {
    const failure = { ...failed, log: await this.#errors.find(failed.problem) };
    this.#options.onFailure(failure);
    return failure;
  }

  async start(): Promise<void> {
    const { dir, cacheDir, host, port, egress, inspectorPort } = this.#options;
    await mkdir(cacheDir, { recursive: true });
    this.#front = await startDevFront({ host, port, target: this });
    const [compiler, cell] = await Promise.allSettled([
      createIncrementalCompiler({ dir, cacheDir }),
      DevCell.start({
        egress,
        inspectorPort,
        onLog: (record) => this.#onLog(record),
        onLost: (why) => this.#onLost(why),
      }),
    ]);
    // What did start is kept even when the other failed, since it has to be stopped then
    if (compiler.status === "fulfilled") this.#compiler = compiler.value;
    if (cell.status === "fulfilled") this.#cell = cell.value;
    if (compiler.status === "rejected") throw compiler.reason;
    if (cell.status === "rejected") throw cell.reason;
    this.#ignored = await ignoredIn(dir);
    this.#watcher = await this.#watch(this.#ignored);
    this.#changedMs = performance.now();
    await this.#build();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#compiled.resolve();
    await this.#watcher?.unsubscribe();
    await this.#compiler?.dispose();
    await this.#building?.catch(() => {});
    await this.#front?.close();
    await this.#cell?.stop();
  }

  #onLog(record: LogRecord): void {
    this.#errors.add(record);
    this.#options.onLog(record);
  }

  #onLost(why: IgniteError): void {
    this.#front?.show(`${why.reason}: ${why.message} ${why.hint ?? ""}`);
    this.#options.onLost(why);
  }

  async #watch(ignored: Ignore): Promise<AsyncSubscription> {
    const { dir } = this.#options;
    const isSource = ({ path }: { path: string }) => !ignored.ignores(relative(dir, path));
    return watcher.subscribe(
      dir,
      (error, events) => {
        if (error === null && events.some(isSource)) this.#onChange();
      },
      { ignore: NEVER_WATCHED },
    );
  }

  #onChange(): void {
    this.#changedMs ??= performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#build(), SETTLE_MS);
  }

  /** Builds once; changes meanwhile lead to one more build. */
  async #build(): Promise<void> {
    if (this.#building !== undefined) return;
    this.#building = this.#buildUntilCurrent();
    await this.#building;
    this.#building = undefined;
  }

  /** One save is told in several events at times, so what counts is whether anything differs. */
  async #buildUntilCurrent(): Promise<void> {
    while (this.#changedMs !== undefined) {
      const startMs = this.#changedMs;
      this.#changedMs = undefined;
      const stamp = await stampOf(this.#options.dir, this.#ignored);
      if (stamp === this.#stamp) continue;
      this.#stamp = stamp;
      const build = await this.#compileOnce();
      this.#compiled.resolve();
      this.#front?.announce();
      this.#options.onBuild({ ...build, tookMs: performance.now() - startMs });
    }
  }

  async #compileOnce(): Promise<Omit<Build, "tookMs">> {
    try {
      const result = await this.#compiler?.rebuild();
      if (result === undefined) throw new Error("the session is closed");
      const warnings = result.diagnostics.filter(isWarning).map(formatDiagnostic);
      this.#failure = result.ok ? undefined : failureText(result);
      if (result.ok) await this.#serve(result);
      return this.#outcome(warnings);
    } catch (error) {
      this.#failure = (error as Error).message;
      return this.#outcome([]);
    }
  }

  #outcome(warnings: readonly string[]): Omit<Build, "tookMs"> {
    const ok = this.#failure === undefined;
    return { ok, failure: this.#failure, olderServes: !ok && this.serves, warnings };
  }

  async #serve(result: Extract<CompileResult, { ok: true }>): Promise<void> {
    const { artifact, digest, manifest } = result;
    const { methods = [] } = manifest.access ?? {};
    const schema = await this.#schemaOf(manifest.schema);
    const limits = { ...manifest.limits, methods };
    this.#errors.forget();
    const vars = { ...manifest.vars, ...(await this.#ownVars()) };
    await this.#cell?.update({ artifact, digest, vars, limits, schema });
  }

  /** The developer's own values, which no deploy takes along. */
  async #ownVars(): Promise<Record<string, string>> {
    const text = await readFile(join(this.#options.dir, OWN_VARS), "utf8").catch(() => "");
    return parseEnv(text) as Record<string, string>;
  }

  async #schemaOf(paths: { input?: string; output?: string }) {
    const read = async (path: string) =>
      JSON.parse(await readFile(join(this.#options.dir, path), "utf8")) as unknown;
    return {
      ...(paths.input === undefined ? {} : { input: await read(paths.input) }),
      ...(paths.output === undefined ? {} : { output: await read(paths.output) }),
    };
  }
}

async function ignoredIn(dir: string): Promise<Ignore> {
  const rules = ignore().add(NEVER_WATCHED);
  for (const name of [".gitignore", ".igniteignore"]) {
    rules.add(await readFile(join(dir, name), "utf8").catch(() => ""));
  }
  return rules.add(`!/${OWN_VARS}`);
}

function isWarning(one: Diagnostic): boolean {
  return one.severity === "warning";
}

function failureText(result: Extract<CompileResult, { ok: false }>): string {
  const errors = result.diagnostics.filter((one) => !isWarning(one)).map(formatDiagnostic);
  return errors.length > 0 ? errors.join("\n\n") : result.message;
}
