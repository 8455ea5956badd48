import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import type { AppDocument } from "../../core/deployment.ts";
import { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { ErrorInfoSchema } from "../../proto/gen/ignite/v1/error_pb.ts";
import { AppRefSchema, VersionStatus } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { Version } from "../../proto/gen/ignite/v1/version_pb.ts";
import { type TestControl, testControl } from "../testing/control.ts";

const app = create(AppRefSchema, { value: { case: "name", value: "local/hello" } });

async function withApp(): Promise<TestControl> {
  const control = await testControl();
  await control.client(ComputeService).createApp({ name: "hello" });
  return control;
}

/** Makes a version from `source`; equal sources answer the same version. */
async function compile(control: TestControl, source: string): Promise<Version> {
  const compute = control.client(ComputeService);
  const digest = await control.upload(source);
  const runtime = { language: { case: "deno", value: {} } } as const;
  const code = { kind: { case: "compile", value: { runtime, source: { digest } } } } as const;
  await compute.updateDraft({ app, code, config: { vars: { NAME: source } } });
  let version: Version | undefined;
  for await (const { event } of compute.compileDraft({ app })) {
    if (event.case === "version") version = event.value;
  }
  if (version === undefined) throw new Error("the stream ended without a version");
  return version;
}

async function publish(control: TestControl, source: string) {
  const { number } = await compile(control, source);
  return control.client(ComputeService).publishVersion({ app, version: number });
}

function documentOf(control: TestControl): AppDocument {
  const last = control.pushed.findLast(({ kind }) => kind === "app");
  return JSON.parse(last?.body ?? "{}") as AppDocument;
}

async function reasonOf(call: Promise<unknown>): Promise<[Code, string | undefined]> {
  const error = ConnectError.from(await call.catch((caught: unknown) => caught));
  return [error.code, error.findDetails(ErrorInfoSchema)[0]?.reason];
}

test("publishVersion() moves all traffic, rollback() moves it back without a compile", async () => {
  const control = await withApp();
  const compute = control.client(ComputeService);
  await publish(control, "one");
  const second = await publish(control, "two");
  expect(second.version?.status).toBe(VersionStatus.ACTIVE);
  expect(second.app?.activeVersion).toBe(2);
  expect(documentOf(control).traffic).toEqual([{ version: 2, weight: 100 }]);
  expect(Object.keys(documentOf(control).versions)).toEqual(["1", "2"]);
  const back = await compute.rollback({ app });
  expect(back.app?.activeVersion).toBe(1);
  expect(documentOf(control).traffic).toEqual([{ version: 1, weight: 100 }]);
  expect(documentOf(control).versions[1]?.vars).toEqual({ NAME: "one" });
  expect(control.compiled).toHaveLength(2);
  const { versions } = await compute.listVersions({ app });
  expect(versions.map(({ number, status }) => [number, status])).toEqual([
    [2, VersionStatus.SUPERSEDED],
    [1, VersionStatus.ACTIVE],
  ]);
});

test("compileDraft() answers the version that equal input gave before", async () => {
  const control = await withApp();
  const first = await compile(control, "one");
  const again = await compile(control, "one");
  expect(first.status).toBe(VersionStatus.READY);
  expect(again.number).toBe(first.number);
  expect(control.compiled).toHaveLength(1);
});

test("compileDraft() keeps diagnostics and failure of a version that does not compile", async () => {
  const control = await withApp();
  control.script.compile = () => [
    {
      case: "diagnostic",
      value: { message: "no such module", file: "main.ts", line: 3, column: 5 },
    },
    { case: "failure", value: { reason: "COMPILE_FAILED", message: "1 error" } },
  ];
  const version = await compile(control, "broken");
  expect(version.status).toBe(VersionStatus.FAILED);
  expect(version.failure?.reason).toBe("COMPILE_FAILED");
  expect(version.diagnostics.map(({ file, line }) => [file, line])).toEqual([["main.ts", 3]]);
  const compute = control.client(ComputeService);
  const refused = await reasonOf(compute.publishVersion({ app, version: version.number }));
  expect(refused).toEqual([Code.FailedPrecondition, "VERSION_NOT_READY"]);
});

test("publishVersion() fails a version that does not load, and traffic stays", async () => {
  const control = await withApp();
  await publish(control, "one");
  const { number } = await compile(control, "two");
  const failure = { reason: "LOAD_FAILED", message: "boom", stack: "at main.ts:1" };
  control.script.quarantine = () => ({ ok: false, ...failure });
  const compute = control.client(ComputeService);
  const refused = await reasonOf(compute.publishVersion({ app, version: number }));
  expect(refused).toEqual([Code.FailedPrecondition, "LOAD_FAILED"]);
  const { version } = await compute.getVersion({ app, version: number });
  expect(version?.status).toBe(VersionStatus.FAILED);
  expect(documentOf(control).traffic).toEqual([{ version: 1, weight: 100 }]);
  expect(Object.keys(documentOf(control).versions)).toEqual(["1"]);
});

test("testDraft() fails a version that does not load, before anybody publishes it", async () => {
  const control = await withApp();
  await compile(control, "one");
  const failure = { reason: "LOAD_FAILED", message: "boom", stack: "at main.ts:1" };
  control.script.quarantine = () => ({ ok: false, ...failure });
  const result = await control.client(ComputeService).testDraft({ app });
  expect(result.passed).toBe(false);
  expect(result.failure?.stack).toBe("at main.ts:1");
  expect(result.version?.status).toBe(VersionStatus.FAILED);
});

test("publishVersion() of two callers at once lets one win and tells the other", async () => {
  const control = await withApp();
  await compile(control, "one");
  await compile(control, "two");
  const compute = control.client(ComputeService);
  const etag = (await compute.getApp({ app })).app?.etag ?? "";
  const results = await Promise.allSettled([
    compute.publishVersion({ app, version: 1, etag }),
    compute.publishVersion({ app, version: 2, etag }),
  ]);
  expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const lost = results.find((result) => result.status === "rejected");
  expect(await reasonOf(Promise.reject(lost?.reason))).toEqual([Code.Aborted, "ETAG_MISMATCH"]);
});

test("setTraffic() splits over versions and refuses weights that are not 100", async () => {
  const control = await withApp();
  await publish(control, "one");
  await publish(control, "two");
  const compute = control.client(ComputeService);
  const shares = (one: number, two: number) => [
    { version: 1, weightPercent: one },
    { version: 2, weightPercent: two },
  ];
  await compute.setTraffic({ app, traffic: shares(10, 90), sticky: { mode: 2 } });
  expect(documentOf(control).sticky).toBe("cookie");
  expect(documentOf(control).traffic.map(({ weight }) => weight)).toEqual([10, 90]);
  const wrong = await reasonOf(compute.setTraffic({ app, traffic: shares(10, 80) }));
  expect(wrong).toEqual([Code.InvalidArgument, "INVALID_ARGUMENT"]);
  const unknown = compute.setTraffic({ app, traffic: [{ version: 9, weightPercent: 100 }] });
  expect(await reasonOf(unknown)).toEqual([Code.NotFound, "NOT_FOUND"]);
});

test("rollback() without a version before fails with NO_PREVIOUS_VERSION", async () => {
  const control = await withApp();
  await publish(control, "one");
  const refused = await reasonOf(control.client(ComputeService).rollback({ app }));
  expect(refused).toEqual([Code.FailedPrecondition, "NO_PREVIOUS_VERSION"]);
});

test("publishVersion() repeated with its idempotency key answers as the first time", async () => {
  const control = await withApp();
  await compile(control, "one");
  const compute = control.client(ComputeService);
  const request = { app, version: 1, idempotencyKey: "k1" };
  const first = await compute.publishVersion(request);
  const again = await compute.publishVersion(request);
  expect(again.app?.etag).toBe(first.app?.etag);
  const other = compute.publishVersion({ ...request, message: "another" });
  expect(await reasonOf(other)).toEqual([Code.AlreadyExists, "IDEMPOTENCY_CONFLICT"]);
});

test("deleteApp() stops traffic at once; updateApp() brings the app back as it was", async () => {
  const control = await withApp();
  await publish(control, "one");
  const compute = control.client(ComputeService);
  await compute.deleteApp({ app });
  expect(documentOf(control)).toMatchObject({ deleted: true, traffic: [], versions: {} });
  expect(await reasonOf(compute.getApp({ app }))).toEqual([Code.NotFound, "NOT_FOUND"]);
  const taken = await reasonOf(compute.createApp({ name: "hello" }));
  expect(taken).toEqual([Code.AlreadyExists, "APP_EXISTS"]);
  await compute.updateApp({ app });
  expect(documentOf(control).traffic).toEqual([{ version: 1, weight: 100 }]);
});
