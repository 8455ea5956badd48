/** `npm start` in a fresh checkout, as a stranger's first command. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Row } from "../row.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const READY_TIMEOUT_MS = 10 * 60_000;

export const row: Row = {
  name: "first-start",
  bar: "first `npm start` on a bare machine → ready ≤ 2 min; size of node_modules reported",
  slow: true,
  async run(context) {
    const folder = await mkdtemp(join(tmpdir(), "ignite-first-"));
    const checkout = join(folder, "ignite");
    try {
      output("git", ["clone", "--quiet", ROOT, checkout]);
      context.progress("  npm start in a fresh clone");
      const seconds = await secondsToReady(checkout, folder);
      const modules = join(checkout, "node_modules");
      const bytes = Number(output("du", ["-sb", modules]).split("\t")[0]);
      return [
        {
          what: "fresh clone → ready",
          value: seconds,
          unit: "s",
          bar: { of: "value", max: 120 },
          note: "with the npm cache and the system packages that this machine has",
        },
        { what: "node_modules", value: bytes / 1e6, unit: "MB" },
        { what: "packages in it", value: await packagesIn(modules), unit: "packages" },
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function secondsToReady(checkout: string, folder: string): Promise<number> {
  const words = ["start", "--", "--json", "--port", "0", "--data", join(folder, "data")];
  const startMs = performance.now();
  const child = spawn("npm", words, {
    cwd: checkout,
    detached: true, // A process group, so that what npm started ends with it
    env: { ...process.env, HOME: folder, npm_config_cache: cacheFolder() },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const timer = setTimeout(() => end(child.pid), READY_TIMEOUT_MS);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('{"ready":true')) return (performance.now() - startMs) / 1000;
    }
    throw new Error("npm start ended before the platform was ready");
  } finally {
    clearTimeout(timer);
    child.stdout.resume();
    end(child.pid);
    await exited;
  }
}

function end(group: number | undefined): void {
  if (group === undefined) return;
  try {
    process.kill(-group, "SIGINT");
  } catch {
    // All of it has ended
  }
}

function cacheFolder(): string {
  return output("npm", ["config", "get", "cache"]).trim();
}

function output(file: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${file} ${args.join(" ")} ended with ${status}: ${stderr}`);
  return stdout;
}

async function packagesIn(modules: string): Promise<number> {
  const names = await readdir(modules);
  const scopes = names.filter((name) => name.startsWith("@"));
  const scoped = await Promise.all(scopes.map((scope) => readdir(join(modules, scope))));
  const plain = names.filter((name) => !name.startsWith("@") && !name.startsWith("."));
  return plain.length + scoped.flat().length;
}
