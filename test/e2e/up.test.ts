/** Ctrl-C in a terminal signals every process of the group; only `up` may act on it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { until } from "../harness/platform.ts";

const CLI = fileURLToPath(new URL("../../cli/bin.mjs", import.meta.url));

test("Ctrl-C ends ignite up with 0 and leaves no process behind", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ignite-up-"));
  const data = join(folder, "data");
  const child = spawn(process.execPath, [CLI, "up", "--json", "--port", "0", "--data", data], {
    env: { ...process.env, XDG_CONFIG_HOME: join(folder, "config") },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  await once(createInterface({ input: child.stdout }), "line");
  expect((await processesNaming(data)).length).toBeGreaterThan(3);
  process.kill(-(child.pid ?? 0), "SIGINT");
  const [code] = await once(child, "close");
  expect(code, errors).toBe(0);
  expect(errors).not.toContain("ended");
  await until("every process is gone", async () => (await processesNaming(data)).length === 0);
  await rm(folder, { recursive: true, force: true });
});

/** Ids of the processes whose command line or open sockets' folder names the data folder. */
async function processesNaming(data: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const named = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return line.includes(data) ? [pid] : [];
    }),
  );
  return named.flat();
}
