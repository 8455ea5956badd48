/** Executions and logs, through the real process. */
import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ExecutionStatus } from "../proto/gen/ignite/v1/ignite_common_pb.ts";
import { LogEntrySchema, LogLevel } from "../proto/gen/ignite/v1/log_pb.ts";
import { startOfTime } from "../sdk/testing/memory-state.ts";
import { type MemoryServer, startMemoryServer } from "./testing/memory-server.ts";
import { runCli, temporaryFolder } from "./testing/run-cli.ts";

let platform: MemoryServer;
let home: Awaited<ReturnType<typeof temporaryFolder>>;
const ignite = (words: string) => {
  const env = { IGNITE_API: platform.url, IGNITE_KEY: platform.key };
  return runCli(words.split(" "), { cwd: home.path, env });
};

beforeAll(async () => {
  platform = await startMemoryServer();
  home = await temporaryFolder();
});

afterAll(async () => {
  await platform.close();
  await home.remove();
});

beforeEach(() => {
  const { state } = platform;
  state.logBreaks = 0;
  const app = state.add("acme/hello");
  app.traffic = [{ version: 1, weightPercent: 100 }];
  const levels = [LogLevel.INFO, LogLevel.WARN, LogLevel.ERROR];
  app.logs = levels.map((level, at) =>
    create(LogEntrySchema, {
      sequence: BigInt(at + 1),
      time: startOfTime,
      level,
      message: `line ${at + 1}`,
      version: 1,
      stack: level === LogLevel.ERROR ? "Error: x\n    at main.ts:3:7" : "",
    }),
  );
});

test("ignite logs prints lines in order, with stacks", async () => {
  expect((await ignite("logs hello")).stdout).toBe(
    [
      "12:00:00.000 v1 info  line 1",
      "12:00:00.000 v1 warn  line 2",
      "12:00:00.000 v1 error line 3",
      "    Error: x",
      "        at main.ts:3:7",
      "",
    ].join("\n"),
  );
});

test("ignite logs -f goes on where the connection broke, twice", async () => {
  platform.state.logBreaks = 2;
  const { stdout, exitCode } = await ignite("logs hello -f --json");
  expect(exitCode).toBe(0);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { sequence: number });
  expect(lines.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
});

test("ignite logs without -f tells that the connection broke", async () => {
  platform.state.logBreaks = 1;
  const { stdout, stderr, exitCode } = await ignite("logs hello");
  expect(exitCode).toBe(1);
  expect(stdout).toContain("line 1");
  expect(stderr).toContain("error: Gone.");
});

test("ignite invoke --async queues, ignite execution --watch follows to the end", async () => {
  expect((await ignite("invoke hello /job --async")).stdout).toBe("exe_1\n");
  const watched = await ignite("execution exe_1 --watch");
  expect(watched.exitCode).toBe(0);
  expect(watched.stdout).toMatch(/^exe_1 queued\n.*working\nexe_1 succeeded\n$/);
  expect((await ignite("executions hello")).stdout).toMatch(/exe_1 +succeeded +v1 +POST \/job/);
});

test("ignite execution --watch ends with 1 when the execution failed", async () => {
  platform.state.executions.set("exe_9", ExecutionStatus.FAILED);
  const { exitCode, stderr } = await ignite("execution exe_9 --watch");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("error: It threw.\n  why: GUEST_ERROR");
});

test("ignite cancel takes an execution out of the queue", async () => {
  platform.state.executions.set("exe_3", ExecutionStatus.QUEUED);
  expect((await ignite("cancel exe_3")).stdout).toBe("exe_3 cancelled\n");
});

test("ignite draft show tells what is pushed", async () => {
  expect((await ignite("draft show hello")).stdout).toContain("nothing pushed yet");
});
