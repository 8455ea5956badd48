import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { cpuMicros, processTree, residentBytes } from "./processes.ts";

test("processTree() finds grandchildren, and none of them once they have ended", async () => {
  const script = `require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1e3)"], { stdio: "inherit" }).on("spawn", () => console.log("up"))`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const tree = processTree(child.pid ?? 0);
  expect(tree).toHaveLength(2);
  expect(tree[1]).toMatchObject({ parentPid: child.pid });
  process.kill(tree[1]?.pid ?? 0, "SIGKILL");
  await once(child, "exit");
  expect(processTree(child.pid ?? 0)).toEqual([]);
});

test("cpuMicros() and residentBytes() see this process work", () => {
  const before = cpuMicros([process.pid]);
  const untilMicros = process.cpuUsage().user + 100_000;
  while (process.cpuUsage().user < untilMicros);
  expect(cpuMicros([process.pid]) - before).toBeGreaterThanOrEqual(50_000);
  expect(residentBytes(process.pid)).toBeGreaterThan(10_000_000);
  expect(cpuMicros([2 ** 30])).toBe(0);
});
