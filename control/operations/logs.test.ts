import { create } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import type { LogRecord } from "../../core/deployment.ts";
import { orgLogBurstBytes } from "../../core/limits.ts";
import { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { AppRefSchema } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { TailLogsResponse } from "../../proto/gen/ignite/v1/invocation_pb.ts";
import { type TestControl, testControl } from "../testing/control.ts";

const app = create(AppRefSchema, { value: { case: "name", value: "local/hello" } });

async function withApp(): Promise<TestControl> {
  const control = await testControl();
  await control.client(ComputeService).createApp({ name: "hello" });
  return control;
}

const line = (message: string, more: Partial<LogRecord> = {}): Partial<LogRecord> => ({
  app: "local/hello",
  version: 1,
  timeMs: 1_000,
  level: "log",
  message,
  ...more,
});

async function report(control: TestControl, batch: number, entries: readonly unknown[]) {
  const body = JSON.stringify({ boot: "b1", batch, entries });
  const response = await control.fetchInternal("/internal/logs", { method: "POST", body });
  expect(response.status).toBe(200);
}

function shown({ event }: TailLogsResponse): string {
  if (event.case === "entry") return `${event.value.sequence} ${event.value.message}`;
  return `${event.value?.fromSequence}-${event.value?.toSequence} ${event.value?.reason}`;
}

async function tail(control: TestControl, request: object): Promise<string[]> {
  const all: string[] = [];
  for await (const message of control.client(ComputeService).tailLogs({ app, ...request })) {
    all.push(shown(message));
  }
  return all;
}

test("tailLogs() gives lines in order, with gaps, and resumes behind a position", async () => {
  const control = await withApp();
  const gap = { app: "local/hello", dropped: 5, reason: "rate_limited", timeMs: 1_000 };
  await report(control, 0, [line("one"), gap, line("two")]);
  await report(control, 1, [line("three")]);
  expect(await tail(control, { afterSequence: 0n })).toEqual([
    "1 one",
    "2-6 rate_limited",
    "7 two",
    "8 three",
  ]);
  expect(await tail(control, { afterSequence: 7n })).toEqual(["8 three"]);
  expect(await tail(control, { tailCount: 1 })).toEqual(["8 three"]);
});

test("recordLogs() keeps no more of an organization than its share, and says what is lost", async () => {
  const control = await withApp();
  const { admission, clock } = control.ports;
  admission.admitsLog("local", orgLogBurstBytes - 3_000, clock.nowMs());
  const long = "x".repeat(1_200);
  await report(control, 0, [line("short"), ...Array.from({ length: 4 }, () => line(long))]);
  control.clock.advance(60_000);
  await report(control, 1, [line("later")]);
  const lines = await tail(control, { afterSequence: 0n });
  expect(lines).toEqual(["1 short", `2 ${long}`, "3-5 rate_limited", "6 later"]);
});

test("tailLogs() ends quietly when its reader leaves between two lines", async () => {
  const control = await withApp();
  const error = vi.spyOn(control.ports.log, "error");
  await report(control, 0, [line("one"), line("two"), line("three")]);
  const message = Buffer.from(JSON.stringify({ app: { name: "local/hello" }, follow: true }));
  const body = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
  const headers = { "content-type": "application/connect+json" };
  const call = { method: "POST", headers, body: new Uint8Array(body) };
  const answer = await control.fetch("/ignite.v1.ComputeService/TailLogs", call);
  const reader = answer.body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toContain("one");
  await reader?.cancel();
  expect(error).not.toHaveBeenCalled();
  error.mockRestore();
});

test("recordLogs() drops a batch that came before, and lines of unknown apps", async () => {
  const control = await withApp();
  await report(control, 0, [line("one"), line("lost", { app: "local/nobody" })]);
  await report(control, 0, [line("one")]);
  expect(await tail(control, { afterSequence: 0n })).toEqual(["1 one"]);
});

test("tailLogs() follows new lines until its caller leaves", async () => {
  const control = await withApp();
  await report(control, 0, [line("one")]);
  const leave = new AbortController();
  const seen: string[] = [];
  const options = { signal: leave.signal };
  const stream = control.client(ComputeService).tailLogs({ app, follow: true }, options);
  const reading = (async () => {
    for await (const message of stream) {
      seen.push(shown(message));
      if (seen.length === 1) await report(control, 1, [line("two")]);
      if (seen.length === 2) leave.abort();
    }
  })();
  await expect(reading).rejects.toThrow(/cancel|abort/i);
  expect(seen).toEqual(["1 one", "2 two"]);
});

test("tailLogs() of one execution gives only its lines", async () => {
  const control = await withApp();
  const executionId = "exe_a";
  await report(control, 0, [line("one", { executionId }), line("two", { executionId: "exe_b" })]);
  expect(await tail(control, { executionId, afterSequence: 0n })).toEqual(["1 one"]);
});

test("tailLogs() tells what was deleted with age", async () => {
  const control = await withApp();
  await report(control, 0, [line("old"), line("new", { timeMs: 9_000 })]);
  await control.ports.stores.logs.prune(5_000, 100);
  expect(await tail(control, { afterSequence: 0n })).toEqual(["1-1 expired", "2 new"]);
});
