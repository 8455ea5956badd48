import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { AppId, Digest } from "../../core/ids.ts";
import { AuditService } from "../../proto/gen/ignite/v1/audit_service_pb.ts";
import { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { AppRefSchema, VersionStatus } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { execution } from "../../test/harness/stores.ts";
import { type TestControl, testControl } from "../testing/control.ts";
import { ROWS_PER_STEP } from "./drain.ts";

const app = create(AppRefSchema, { value: { case: "name", value: "local/hello" } });
const HOUR_MS = 3_600_000;

async function withDraft(): Promise<{ control: TestControl; source: Digest }> {
  const control = await testControl();
  const compute = control.client(ComputeService);
  await compute.createApp({ name: "hello" });
  const source = await control.upload("source");
  const runtime = { language: { case: "deno", value: {} } } as const;
  const value = { runtime, source: { digest: source } };
  await compute.updateDraft({ app, code: { kind: { case: "compile", value } } });
  return { control, source };
}

async function run(control: TestControl, task: string): Promise<number> {
  const response = await control.fetchInternal(`/internal/tasks/${task}`, { method: "POST" });
  return ((await response.json()) as { changed: number }).changed;
}

test("collect-blobs deletes what nothing names, and forgets who uploaded it", async () => {
  const { control, source } = await withDraft();
  const orphan = await control.upload("orphan");
  expect(await run(control, "collect-blobs")).toBe(1);
  expect([...control.blobs.keys()]).toEqual([source]);
  expect((await control.fetch(`/blobs/${orphan}`, { method: "HEAD" })).status).toBe(404);
  expect(await run(control, "collect-blobs")).toBe(0);
});

test("fail-stuck-compiles ends compiles whose process died", async () => {
  const { control } = await withDraft();
  const compute = control.client(ComputeService);
  control.script.compile = () => [];
  const { stores } = control.ports;
  stores.versions.finish = async () => new Promise<boolean>(() => {}); // The process dies here
  const stream = compute.compileDraft({ app })[Symbol.asyncIterator]();
  await stream.next();
  expect(await run(control, "fail-stuck-compiles")).toBe(0);
  control.clock.advance(HOUR_MS);
  expect(await run(control, "fail-stuck-compiles")).toBe(1);
  const { version } = await compute.getVersion({ app, version: 1 });
  expect(version?.status).toBe(VersionStatus.FAILED);
  expect(version?.failure?.reason).toBe("COMPILE_TIMED_OUT");
});

test("delete-expired erases an app 24 hours after its deletion, not before", async () => {
  const { control } = await withDraft();
  const compute = control.client(ComputeService);
  await compute.deleteApp({ app });
  control.clock.advance(23 * HOUR_MS);
  expect(await run(control, "delete-expired")).toBe(0);
  control.clock.advance(2 * HOUR_MS);
  expect(await run(control, "delete-expired")).toBe(1);
  expect((await compute.listApps({ includeDeleted: true })).apps).toEqual([]);
  await compute.createApp({ name: "hello" });
});

test("delete-expired erases the audit trail after 400 days, not before", async () => {
  const { control } = await withDraft();
  const trail = async () =>
    (await control.client(AuditService).listAuditEvents({})).events.map(({ action }) => action);
  const before = await trail();
  expect(before).toContain("app.create");
  control.clock.advance(399 * 24 * HOUR_MS);
  await run(control, "delete-expired");
  expect(await trail()).toEqual(before);
  control.clock.advance(2 * 24 * HOUR_MS);
  expect(await run(control, "delete-expired")).toBeGreaterThanOrEqual(before.length);
  expect(await trail()).toEqual([]);
});

test("delete-expired goes on until everything old is gone", async () => {
  const { control } = await withDraft();
  const { stores, clock } = control.ports;
  const appId = (await stores.apps.find({ org: "local", name: "hello" }))?.id as AppId;
  const rows = 2 * ROWS_PER_STEP + 1;
  const started = clock.nowMs();
  await stores.executions.insert(Array.from({ length: rows }, () => execution(appId, started)));
  control.clock.advance(31 * 24 * HOUR_MS);
  expect(await run(control, "delete-expired")).toBeGreaterThanOrEqual(rows);
  const all = { appId, statuses: [], version: 0 };
  expect((await stores.executions.list(all, { limit: 1 })).items).toEqual([]);
});

test("an unknown task is not found", async () => {
  const { control } = await withDraft();
  const response = await control.fetchInternal("/internal/tasks/none", { method: "POST" });
  expect(response.status).toBe(404);
});
