/**
 * Starts workerd and tells when it is ready. The configuration is written to a file that only its
 * owner may read, since it holds tokens; readiness comes over a descriptor of its own, so nothing
 * a Worker prints can fake it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chown, mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { IgniteError } from "../../core/errors.ts";
import { cellLineCharactersMax } from "../../core/limits.ts";
import { readBoundedLines } from "./bounded-lines.ts";
import { dieWithParent } from "./programs.ts";
import { renderWorkerdConfig, type WorkerdConfig } from "./workerd-config.ts";

/** What to start. */
export interface WorkerdOptions {
  /** For messages. */
  name: string;
  /** A folder of its own; gets the configuration file. */
  folder: string;
  config: WorkerdConfig;
  /** Who may read the configuration; this process's user when absent. */
  owner?: { uid: number; gid: number };
  /** Each line the process writes. */
  onLine: (line: string, stream: "stdout" | "stderr") => void;
  /** Opens listening sockets for the process, right before it starts; it takes them over. */
  listen?: () => Promise<Listening>;
  /** Turns the plain command into the one to run, e.g. inside a jail. */
  launch?: (command: Command) => Command;
  readyTimeoutMs?: number;
}

/** Listening sockets that another process is to take over. */
export interface Listening {
  /** By socket name. */
  descriptors: Readonly<Record<string, number>>;
  /** Lets go of them; called in the same turn as the start, so nothing is accepted here. */
  release(): void;
}

/** A program, its arguments, and the descriptors it inherits as 3, 4, 5, ... */
export interface Command {
  file: string;
  args: readonly string[];
  inherit: readonly (number | "pipe")[];
}

/** How a process ended. */
export interface WorkerdExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A workerd process that was ready. */
export interface WorkerdProcess {
  /** Of the program that was started: the jail's when there is one. */
  readonly pid: number;
  readonly exited: Promise<WorkerdExit>;
  /** Sends a signal; does nothing when the process has ended. */
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL when it has not ended after `graceMs`. */
  stop(graceMs?: number): Promise<WorkerdExit>;
}

const READY_TIMEOUT_MS = 20_000; // Usually 50 ms; a loaded machine may be much slower
const STOP_GRACE_MS = 2_000;
const CONTROL_FD = 3;
const TAIL_LINES = 20;

/** The workerd program of this platform's npm package. */
export function workerdBinary(): string {
  const require = createRequire(import.meta.url);
  return (require("workerd") as { default: string }).default;
}

/**
 * Starts it and waits until all its sockets listen. Fails with what it wrote when it ends first.
 */
export async function startWorkerd(options: WorkerdOptions): Promise<WorkerdProcess> {
  const { name, folder, config, readyTimeoutMs = READY_TIMEOUT_MS } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "workerd.capnp");
  await writeFile(file, renderWorkerdConfig(config), { mode: 0o600 });
  if (options.owner !== undefined) await grant([folder, file], options.owner);
  const sockets = config.sockets.flatMap(({ unixSocket }) => unixSocket ?? []);
  await Promise.all(sockets.map((path) => rm(path, { force: true })));
  const listening = await options.listen?.();
  const command = plainCommand(file, listening?.descriptors ?? {});
  const { file: program, args, inherit } = (options.launch ?? withoutJail)(command);
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe", ...inherit],
    env: {},
    detached: true, // Ctrl-C in a terminal is for `up` alone, which drains first
    cwd: "/",
  });
  listening?.release();
  const tail = readLines(child, options.onLine);
  const exited = exitOf(child);
  await untilListening({
    child,
    name,
    exited,
    tail,
    readyTimeoutMs,
    sockets: config.sockets.length,
  });
  return handleOf(child, exited);
}

function plainCommand(file: string, descriptors: Readonly<Record<string, number>>): Command {
  const names = Object.keys(descriptors);
  const sockets = names.map((name, at) => `--socket-fd=${name}=${CONTROL_FD + 1 + at}`);
  return {
    file: workerdBinary(),
    args: ["serve", "--experimental", `--control-fd=${CONTROL_FD}`, ...sockets, file, "config"],
    inherit: ["pipe", ...Object.values(descriptors)],
  };
}

function grant(paths: readonly string[], { uid, gid }: { uid: number; gid: number }) {
  return Promise.all(paths.map((path) => chown(path, uid, gid)));
}

function withoutJail({ file, args, inherit }: Command): Command {
  return { ...dieWithParent(file, args), inherit };
}

function readLines(child: ChildProcess, onLine: WorkerdOptions["onLine"]): string[] {
  const tail: string[] = [];
  for (const stream of ["stdout", "stderr"] as const) {
    const input = child[stream];
    if (input === null) continue;
    readBoundedLines(input, cellLineCharactersMax, (line) => {
      if (stream === "stderr") {
        tail.push(line);
        if (tail.length > TAIL_LINES) tail.shift();
      }
      onLine(line, stream);
    });
  }
  return tail;
}

function exitOf(child: ChildProcess): Promise<WorkerdExit> {
  return new Promise((resolve) => {
    child.once("error", () => resolve({ code: 127, signal: null }));
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}

interface Starting {
  child: ChildProcess;
  name: string;
  exited: Promise<WorkerdExit>;
  tail: readonly string[];
  sockets: number;
  readyTimeoutMs: number;
}

async function untilListening(starting: Starting): Promise<void> {
  const { child, name, exited, tail, readyTimeoutMs } = starting;
  const failure = (what: string) =>
    new IgniteError({
      code: "unavailable",
      reason: "INTERNAL",
      message: `${name} ${what}${tail.length > 0 ? `: ${tail.at(-1)}` : "."}`,
      internal: tail.join("\n"),
    });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(failure(`was not ready after ${readyTimeoutMs} ms`));
    }, readyTimeoutMs);
  });
  const ended = exited.then(({ code, signal }) => {
    throw failure(`ended with ${signal ?? code} while it started`);
  });
  try {
    await Promise.race([listening(child, starting.sockets), late, ended]);
  } finally {
    clearTimeout(timer);
    late.catch(() => {});
    ended.catch(() => {});
  }
}

function listening(child: ChildProcess, count: number): Promise<void> {
  const input = child.stdio[CONTROL_FD] as Readable;
  let seen = 0;
  return new Promise((resolve) => {
    input.on("error", () => {}); // The process ended, which is reported as such
    createInterface({ input }).on("line", (line) => {
      if ((JSON.parse(line) as { event: string }).event === "listen") seen += 1;
      if (seen === count) resolve();
    });
  });
}

function handleOf(child: ChildProcess, exited: Promise<WorkerdExit>): WorkerdProcess {
  const { pid } = child;
  if (pid === undefined) throw new Error("a process that is ready has a pid");
  return {
    pid,
    exited,
    kill: (signal) => void child.kill(signal),
    async stop(graceMs = STOP_GRACE_MS) {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
}
