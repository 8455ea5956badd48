/** A whole platform for a test: started by the real command line, with its own data folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { request } from "undici";

/** A running platform. */
export interface TestPlatform {
  url: string;
  grpcUrl: string;
  key: string;
  org: string;
  /** Process id of `ignite up`. */
  pid: number;
  dataDir: string;
  /** Host and port of `url`. */
  host: string;
  /** Everything that it wrote to stderr so far. */
  log(): string;
  /** A request by host form; Node does not resolve `*.localhost` as browsers and curl do. */
  fetchHost(host: string, path: string): Promise<Response>;
  /** Runs a command line against it. */
  ignite(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Ctrl-C, and waits for the end. */
  stop(): Promise<{ code: number | null }>;
  /** Stops it and removes its data. */
  dispose(): Promise<void>;
}

/** How to run a command. */
export interface RunOptions {
  cwd?: string;
  stdin?: string;
  env?: Readonly<Record<string, string>>;
  /** Ends the command when aborted. */
  signal?: AbortSignal;
}

/** What a command did. */
export interface RunResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CLI = join(ROOT, "cli/bin.mjs");

/** How to start a platform. */
export interface StartOptions {
  /** Continues an earlier one's. */
  dataDir?: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** A command line that the platform's is put behind. */
  before?: readonly string[];
}

/** Starts a platform. */
export async function startPlatform(options: StartOptions = {}): Promise<TestPlatform> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "ignite-test-")));
  const env = { ...environmentFor(dataDir), ...options.env };
  const args = ["up", "--json", "--port", "0", "--data", join(dataDir, "data")];
  const [file = "", ...words] = [...(options.before ?? []), process.execPath, CLI, ...args];
  const child = spawn(file, [...words, ...(options.args ?? [])], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  const ready = await firstLine(child, () => log);
  const stop = () => stopped(child);
  const url = ready["url"] as string;
  const { host: address, port } = new URL(url);
  return {
    url,
    grpcUrl: ready["grpc_url"] as string,
    key: ready["key"] as string,
    org: ready["org"] as string,
    pid: child.pid ?? 0,
    dataDir,
    host: address,
    log: () => log,
    fetchHost: (host, path) => fetchHost(url + path, `${host}:${port}`),
    ignite: (words, run = {}) => ignite(words, { ...run, env: { ...env, ...run.env } }),
    stop,
    async dispose() {
      await stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Runs one command line to its end. */
export async function ignite(
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { cwd = tmpdir(), stdin = "", env = {}, signal } = options;
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    ...(signal === undefined ? {} : { signal }),
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  child.on("error", () => {}); // Aborted
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...output };
}

async function fetchHost(url: string, host: string): Promise<Response> {
  const { statusCode, headers, body } = await request(url, { headers: { host } });
  const flat = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return new Response(await body.arrayBuffer(), {
    status: statusCode,
    headers: Object.fromEntries(flat),
  });
}

/** Polls until `check` answers something; fails with `what` after a generous time. */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 30_000,
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadlineMs) throw new Error(`${what} did not happen in ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function environmentFor(dataDir: string): Record<string, string> {
  const network = /^(SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|NPM_CONFIG_REGISTRY|(HTTPS?|NO)_PROXY)$/i;
  const kept = Object.entries(process.env).filter(([name]) => network.test(name));
  return {
    ...(Object.fromEntries(kept) as Record<string, string>), // The first compile downloads esbuild
    PATH: process.env["PATH"] ?? "",
    HOME: dataDir,
    XDG_CONFIG_HOME: join(dataDir, "config"),
    NO_COLOR: "1",
  };
}

async function firstLine(child: ChildProcess, log: () => string): Promise<Record<string, unknown>> {
  if (child.stdout === null) throw new Error("no stdout");
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([
    once(lines, "line").then(([text]) => text as string),
    once(child, "close").then(([code]) => {
      throw new Error(`ignite up ended with ${code}:\n${log()}`);
    }),
  ]);
  return JSON.parse(line) as Record<string, unknown>;
}

async function stopped(child: ChildProcess): Promise<{ code: number | null }> {
  if (child.exitCode !== null || child.signalCode !== null) return { code: child.exitCode };
  const closed = once(child, "close");
  child.kill("SIGINT");
  const [code] = (await closed) as [number | null];
  return { code };
}
