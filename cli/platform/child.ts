/**
 * Our own Node daemons as children of `ignite up`: started with their configuration as one JSON
 * line on stdin (never argv or environment, where others could read secrets), ready when they
 * print one JSON line, started again with growing pauses when they end without being asked to.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { IgniteError, type Reason } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";

/** How to start a daemon. */
export interface DaemonOptions {
  name: string;
  /** Absolute path of its main module. */
  main: string;
  /** Sent as one JSON line on stdin. */
  config: Readonly<Record<string, unknown>>;
  log: Log;
  readyTimeoutMs?: number;
}

/** A running daemon. */
export interface Daemon {
  readonly name: string;
  /** The process id of the current incarnation. */
  pid(): number | undefined;
  /** How often it had to be started again. */
  restarts(): number;
  /** Sends one more JSON line on its stdin. */
  send(line: unknown): void;
  /** Called each time it is ready again after a restart, when what was sent before is forgotten. */
  onRestart(listener: () => void): void;
  /** Ends it: SIGTERM, and SIGKILL when it has not ended after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
}

const READY_TIMEOUT_MS = 30_000; // A cold machine migrating a database
const RESTART_PAUSE_MS_MIN = 50;
const RESTART_PAUSE_MS_MAX = 5_000;
const STEADY_MS = 10_000; // A daemon that lived this long starts over with the shortest pause

/** Starts a daemon and waits until it is ready. Fails with what it wrote when it ends before. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const supervisor = new DaemonSupervisor(options);
  await supervisor.start();
  return supervisor;
}

class DaemonSupervisor implements Daemon {
  readonly name: string;
  readonly #options: DaemonOptions;
  #child: ChildProcess | undefined;
  #stopping = false;
  #restarts = 0;
  readonly #restartListeners: (() => void)[] = [];
  #pauseMs = RESTART_PAUSE_MS_MIN;

  constructor(options: DaemonOptions) {
    this.name = options.name;
    this.#options = options;
  }

  pid() {
    return this.#child?.pid;
  }

  restarts() {
    return this.#restarts;
  }

  send(line: unknown) {
    this.#child?.stdin?.write(`${JSON.stringify(line)}\n`);
  }

  onRestart(listener: () => void) {
    this.#restartListeners.push(listener);
  }

  async start(): Promise<void> {
    const { main, config, log, readyTimeoutMs = READY_TIMEOUT_MS } = this.#options;
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main], {
      stdio: ["pipe", "pipe", "pipe"],
      env: childEnvironment(),
      detached: true, // Ctrl-C in a terminal is for us alone: we stop what we started, in order
    });
    this.#child = child;
    child.stdin.on("error", () => {}); // It ended first; its exit is handled below
    child.stdin.write(`${JSON.stringify(config)}\n`);
    const tail = forwardLog(child, log.with({ process: this.name }));
    const startedMs = Date.now();
    await untilReady(child, this.name, tail, readyTimeoutMs);
    child.once("exit", (code, signal) => void this.#onExit(code, signal, Date.now() - startedMs));
  }

  async stop(graceMs = 5_000): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    await exited;
    clearTimeout(timer);
  }

  async #onExit(code: number | null, signal: string | null, livedMs: number): Promise<void> {
    if (this.#stopping) return;
    this.#options.log.error("a platform process ended", {
      process: this.name,
      code: code ?? undefined,
      signal: signal ?? undefined,
    });
    if (livedMs > STEADY_MS) this.#pauseMs = RESTART_PAUSE_MS_MIN;
    while (!this.#stopping) {
      await new Promise((resolve) => setTimeout(resolve, this.#pauseMs));
      if (this.#stopping) return;
      this.#pauseMs = Math.min(this.#pauseMs * 2, RESTART_PAUSE_MS_MAX);
      this.#restarts += 1;
      try {
        await this.start();
        for (const listener of this.#restartListeners) listener();
        return;
      } catch (error) {
        const { message } = IgniteError.from(error);
        this.#options.log.error("it did not start again", { process: this.name, reason: message });
      }
    }
  }
}

/** What a daemon needs of our environment, and nothing that might be a secret. */
function childEnvironment(): NodeJS.ProcessEnv {
  const kept = ["PATH", "HOME", "TMPDIR", "LANG", "XDG_CACHE_HOME", "NPM_CONFIG_REGISTRY"];
  const proxies = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
  ];
  const certificates = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "npm_config_registry"];
  const entries = [...kept, ...proxies, ...certificates].map((name) => [name, process.env[name]]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Passes stderr on to the platform's log; keeps the last lines for an error message. */
function forwardLog(child: ChildProcess, log: Log): string[] {
  const tail: string[] = [];
  if (child.stderr === null) return tail;
  createInterface({ input: child.stderr }).on("line", (line) => {
    tail.push(line);
    if (tail.length > 20) tail.shift();
    relogLine(log, line);
  });
  return tail;
}

/** Writes a line of another process's log to ours; what is not a log line is only for debugging. */
export function relogLine(log: Log, line: string): void {
  const entry = parseJson(line);
  if (entry === undefined) return log.debug(line);
  const { level, message, time: _time, ...fields } = entry;
  const write = level === "error" || level === "warn" || level === "debug" ? level : "info";
  log[write](String(message), fields as Record<string, string>);
}

async function untilReady(
  child: ChildProcess,
  name: string,
  tail: readonly string[],
  timeoutMs: number,
): Promise<void> {
  const { stdout } = child;
  if (stdout === null) throw new Error(`${name} has no stdout`);
  const lines = createInterface({ input: stdout });
  const failure = (what: string) =>
    new IgniteError({
      code: "unavailable",
      reason: lastReason(tail),
      message: `${name} ${what}${tail.length > 0 ? `: ${lastMessage(tail)}` : "."}`,
      internal: tail.join("\n"),
    });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(failure(`was not ready after ${timeoutMs} ms`));
    }, timeoutMs);
    const settle = (action: () => void) => {
      clearTimeout(timer);
      action();
    };
    child.once("error", (error) => settle(() => reject(error)));
    child.once("close", (code, signal) =>
      settle(() => reject(failure(`ended with ${signal ?? code} while it started`))),
    );
    lines.on("line", (line) => {
      if (parseJson(line)?.["ready"] === true) settle(resolve);
    });
  });
}

function lastMessage(tail: readonly string[]): string {
  const last = tail.at(-1) ?? "";
  return String(parseJson(last)?.["message"] ?? last);
}

/** Why it ended, when it said so. */
function lastReason(tail: readonly string[]): Reason {
  const reason = parseJson(tail.at(-1) ?? "")?.["reason"];
  return typeof reason === "string" ? (reason as Reason) : "INTERNAL";
}

function parseJson(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
