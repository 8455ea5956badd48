import { create } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import { orgAppsMaxDefault, orgDeletedAppsMax, orgStorageMbMaxDefault } from "../../core/limits.ts";
import type { Digest } from "../../core/ids.ts";
import { AdminService } from "../../proto/gen/ignite/v1/admin_service_pb.ts";
import { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { AppRefSchema } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { QuotaSchema } from "../../proto/gen/ignite/v1/organization_pb.ts";
import { testControl } from "../testing/control.ts";

const app = create(AppRefSchema, { value: { case: "name", value: "local/hello" } });
const MIB = 1024 * 1024;

test("an organization has a quota although nobody set one", async () => {
  const control = await testControl();
  const admin = control.client(AdminService);
  const { organization } = await admin.createOrganization({ name: "acme" });
  expect(organization?.quota).toMatchObject({
    appsMax: orgAppsMaxDefault,
    storageMbMax: orgStorageMbMaxDefault,
  });
});

test("createApp() stops at the quota, and goes on when it is raised", async () => {
  const control = await testControl();
  const admin = control.client(AdminService);
  const compute = control.client(ComputeService);
  const quota = (appsMax: number) =>
    admin.setQuota({ name: "local", quota: create(QuotaSchema, { appsMax }) });
  await quota(1);
  await compute.createApp({ name: "one" });
  const refused = compute.createApp({ name: "two" });
  await expect(refused).rejects.toThrow("may have 1 apps and has them");
  await quota(2);
  await compute.createApp({ name: "two" });
});

test("deleted apps make room, come back only where there is room, and are bounded", async () => {
  const control = await testControl();
  const compute = control.client(ComputeService);
  const quota = create(QuotaSchema, { appsMax: 1 });
  await control.client(AdminService).setQuota({ name: "local", quota });
  await compute.createApp({ name: "hello" });
  await compute.deleteApp({ app });
  await compute.createApp({ name: "other" });
  await expect(compute.updateApp({ app })).rejects.toThrow("may have 1 apps and has them");
  const other = create(AppRefSchema, { value: { case: "name", value: "local/other" } });
  await compute.deleteApp({ app: other });
  await compute.updateApp({ app });
  await compute.deleteApp({ app });
  const deleted = { live: 0, deleted: orgDeletedAppsMax };
  vi.spyOn(control.ports.stores.apps, "count").mockResolvedValue(deleted);
  await expect(compute.createApp({ name: "third" })).rejects.toThrow("within a day");
  await compute.updateApp({ app });
});

test("uploads and compiles stop when what is stored reaches the quota", async () => {
  const control = await testControl();
  const compute = control.client(ComputeService);
  const quota = create(QuotaSchema, { storageMbMax: 1 });
  await control.client(AdminService).setQuota({ name: "local", quota });
  await compute.createApp({ name: "hello" });
  const digest = await control.upload("source");
  const { blobOwners } = control.ports.stores;
  await blobOwners.add("local", "0".repeat(64) as Digest, MIB - 6, 1);
  const path = `/blobs/${"1".repeat(64)}`;
  const headers = { "content-range": "bytes 0-0/7" };
  const refused = await control.fetch(path, { method: "PUT", headers, body: "1" });
  expect([refused.status, await refused.text()]).toEqual([
    429,
    expect.stringContaining("may store 1 MiB"),
  ]);
  await blobOwners.add("local", "2".repeat(64) as Digest, 7, 1);
  expect(await control.upload("source")).toBe(digest); // It is there already
  const source = { digest };
  const language = { case: "deno", value: {} } as const;
  const code = { kind: { case: "compile", value: { runtime: { language }, source } } } as const;
  await compute.updateDraft({ app, code });
  const compiling = compute.compileDraft({ app })[Symbol.asyncIterator]();
  await expect(compiling.next()).rejects.toThrow("may store 1 MiB");
});

test("compileDraft() keeps the newest versions of an app, and those that are needed", async () => {
  const control = await testControl();
  const compute = control.client(ComputeService);
  const quota = create(QuotaSchema, { versionsMax: 2 });
  await control.client(AdminService).setQuota({ name: "local", quota });
  await compute.createApp({ name: "hello" });
  const digest = await control.upload("source");
  const language = { case: "deno", value: {} } as const;
  const code = {
    kind: { case: "compile", value: { runtime: { language }, source: { digest } } },
  } as const;
  for (const number of [1, 2, 3, 4, 5]) {
    await compute.updateDraft({ app, code, config: { vars: { N: String(number) } } });
    for await (const _event of compute.compileDraft({ app }));
    if (number < 3) await compute.publishVersion({ app, version: number });
  }
  const { versions } = await compute.listVersions({ app });
  expect(versions.map(({ number }) => number)).toEqual([5, 4, 2, 1]);
});
