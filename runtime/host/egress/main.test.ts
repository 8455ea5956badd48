import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";

test("main obeys commands in their order and ends with its stdin", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ignite-egress-"));
  const main = new URL("main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [main], { stdio: ["pipe", "pipe", "ignore"] });
  const exited = once(child, "exit");
  const lines: unknown[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(JSON.parse(line)));
  const add = { cell: "c1", socket: join(folder, "egress.sock") };
  const config = { domain: "apps.test", frontSocket: join(folder, "front.sock") };
  const commands = [config, { add }, { remove: { cell: "c1" } }, { counters: true }];
  child.stdin.end(commands.map((command) => `${JSON.stringify(command)}\n`).join(""));
  await expect(exited).resolves.toEqual([0, null]);
  expect(lines).toEqual([
    { ready: true, pid: child.pid },
    { added: "c1" },
    { removed: "c1" },
    { counters: {} },
  ]);
  await rm(folder, { recursive: true });
});
