/** Load from this machine to this machine, by wrk: bounded in time, ends by itself. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What to ask for. */
export interface LoadOptions {
  port: number;
  /** Host headers to ask with, in turn. */
  hosts: readonly string[];
  seconds: number;
  connections?: number;
}

/** What came back. */
export interface LoadResult {
  requests: number;
  /** Answers with a status of 400 or above. */
  failed: number;
  /** Requests without an answer. */
  broken: number;
  p50Ms: number;
  p99Ms: number;
  perSecond: number;
}

const CONNECTIONS = 64;
const SCRIPT = fileURLToPath(new URL("load.lua", import.meta.url));

/** Loads loopback for so many seconds. Fails when wrk does not run. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const { port, hosts, seconds, connections = CONNECTIONS } = options;
  const flags = ["-t", "1", "-c", String(connections), "-d", `${seconds}s`, "--timeout", "10s"];
  const words = [...flags, "-s", SCRIPT, `http://127.0.0.1:${port}/`, "--", ...hosts];
  const child = spawn("wrk", words, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  const line = text.trimEnd().split("\n").at(-1) ?? "";
  if (code !== 0 || !line.startsWith("{")) throw new Error(`wrk ended with ${code}: ${text}`);
  const found = JSON.parse(line) as Record<"requests" | "micros" | "failed" | "broken", number> &
    Record<"p50Micros" | "p99Micros", number>;
  return {
    requests: found.requests,
    failed: found.failed,
    broken: found.broken,
    p50Ms: found.p50Micros / 1000,
    p99Ms: found.p99Micros / 1000,
    perSecond: found.requests / (found.micros / 1e6),
  };
}

/** Installs wrk where this is Debian and we are root; otherwise fails with what to type. */
export function ensureLoadGenerator(): void {
  if (spawnSync("wrk", ["--version"]).error === undefined) return;
  if (process.getuid?.() === 0) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const stdio = ["ignore", 2, 2] as const;
    spawnSync("apt-get", ["-qq", "update"], { env, stdio: [...stdio] });
    spawnSync("apt-get", ["-qq", "install", "-y", "wrk"], { env, stdio: [...stdio] });
  }
  if (spawnSync("wrk", ["--version"]).error === undefined) return;
  throw new Error("The load generator wrk is missing: sudo apt-get install -y wrk");
}
