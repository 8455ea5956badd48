/** What a key of one organization learns about another: nothing. */
import { create } from "@bufbuild/protobuf";
import { type Client, ConnectError } from "@connectrpc/connect";
import { beforeAll, expect, test } from "vitest";
import { AdminService } from "../../proto/gen/ignite/v1/admin_service_pb.ts";
import { AuditService } from "../../proto/gen/ignite/v1/audit_service_pb.ts";
import { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { type AppRef, AppRefSchema } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { Role } from "../../proto/gen/ignite/v1/key_pb.ts";
import { KeyService } from "../../proto/gen/ignite/v1/key_service_pb.ts";
import { type TestControl, testControl } from "../testing/control.ts";

type Compute = Client<typeof ComputeService>;

const calls: Readonly<Record<string, (compute: Compute, app: AppRef) => Promise<unknown>>> = {
  getApp: (compute, app) => compute.getApp({ app }),
  updateApp: (compute, app) => compute.updateApp({ app }),
  deleteApp: (compute, app) => compute.deleteApp({ app }),
  getDraft: (compute, app) => compute.getDraft({ app }),
  updateDraft: (compute, app) => compute.updateDraft({ app }),
  compileDraft: (compute, app) => drain(compute.compileDraft({ app })),
  testDraft: (compute, app) => compute.testDraft({ app }),
  publishVersion: (compute, app) => compute.publishVersion({ app }),
  getVersion: (compute, app) => compute.getVersion({ app }),
  listVersions: (compute, app) => compute.listVersions({ app }),
  rollback: (compute, app) => compute.rollback({ app }),
  setTraffic: (compute, app) =>
    compute.setTraffic({ app, traffic: [{ version: 1, weightPercent: 100 }] }),
  invoke: (compute, app) => compute.invoke({ app }),
  invokeStream: (compute, app) => drain(compute.invokeStream({ app })),
  listExecutions: (compute, app) => compute.listExecutions({ app }),
  tailLogs: (compute, app) => drain(compute.tailLogs({ app })),
};
const mine = create(AppRefSchema, { value: { case: "name", value: "local/hello" } });
const absent = create(AppRefSchema, { value: { case: "name", value: "local/absen" } });
let control: TestControl;
let stranger: string;

beforeAll(async () => {
  control = await testControl();
  await control.client(ComputeService).createApp({ name: "hello" });
  const made = await control.client(AdminService).createOrganization({ name: "other" });
  stranger = made.secret;
});

test.each(Object.entries(calls))(
  "%s() of another organization's app is as if absent",
  async (_, call) => {
    const compute = control.client(ComputeService, stranger);
    const [theirs, none] = [
      await errorOf(call(compute, mine)),
      await errorOf(call(compute, absent)),
    ];
    expect(theirs.replaceAll("hello", "absen")).toBe(none);
    expect(theirs).toContain("not_found");
  },
);

test("lists name no other organization", async () => {
  const naming = { organization: "local" };
  const errors = await Promise.all([
    errorOf(control.client(ComputeService, stranger).listApps(naming)),
    errorOf(control.client(ComputeService, stranger).createApp({ ...naming, name: "x" })),
    errorOf(control.client(KeyService, stranger).listKeys(naming)),
    errorOf(
      control.client(KeyService, stranger).createKey({ ...naming, name: "x", role: Role.OWNER }),
    ),
    errorOf(control.client(AuditService, stranger).listAuditEvents(naming)),
  ]);
  for (const error of errors) expect(error).toContain("not_found");
  const { apps } = await control.client(ComputeService, stranger).listApps({});
  expect(apps).toEqual([]);
});

test("a blob belongs to who uploaded it", async () => {
  const digest = await control.upload("secret source");
  const response = await control.fetch(`/blobs/${digest}`, { key: stranger });
  expect(response.status).toBe(404);
  expect((await control.fetch(`/blobs/${digest}`)).status).toBe(200);
});

test("a key limited to apps sees only those", async () => {
  await control.client(ComputeService).createApp({ name: "hidden" });
  const limited = { name: "limited", role: Role.DEVELOPER, apps: ["hello"] };
  const { secret } = await control.client(KeyService).createKey(limited);
  const compute = control.client(ComputeService, secret);
  expect((await compute.listApps({})).apps.map(({ name }) => name)).toEqual(["hello"]);
  const hidden = create(AppRefSchema, { value: { case: "name", value: "local/hidden" } });
  expect(await errorOf(compute.getApp({ app: hidden }))).toContain("not_found");
});

test("ignite-org must be the key's own", async () => {
  const init = { method: "POST", body: "{}", key: stranger };
  const call = (org: string) =>
    control.fetch("/ignite.v1.KeyService/WhoAmI", {
      ...init,
      headers: { "content-type": "application/json", "ignite-org": org },
    });
  expect((await call("other")).status).toBe(200);
  expect((await call("local")).status).toBe(404);
});

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

async function errorOf(call: Promise<unknown>): Promise<string> {
  return ConnectError.from(
    await call.then(
      () => "none",
      (caught: unknown) => caught,
    ),
  ).message;
}
