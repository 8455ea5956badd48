import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import type { OrganizationDocument } from "../../core/deployment.ts";
import type { KeyId } from "../../core/ids.ts";
import { AdminService } from "../../proto/gen/ignite/v1/admin_service_pb.ts";
import { AuditService } from "../../proto/gen/ignite/v1/audit_service_pb.ts";
import { Role } from "../../proto/gen/ignite/v1/key_pb.ts";
import { KeyService } from "../../proto/gen/ignite/v1/key_service_pb.ts";
import { type TestControl, testControl } from "../testing/control.ts";
import { formatApiKey, isApiKey } from "./api-key.ts";
import { sha256Hex } from "./hash.ts";
import { recoverKey } from "./keys.ts";
import { bootstrap } from "./organizations.ts";

const keysAtEdge = (control: TestControl) => {
  const document = control.pushed.findLast(({ kind }) => kind === "organization");
  const { keys } = JSON.parse(document?.body ?? "{}") as OrganizationDocument;
  return keys.map(({ id }) => id);
};

test("formatApiKey() makes keys that isApiKey() takes, and no other text", async () => {
  const key = await formatApiKey(new Uint8Array(32).fill(255));
  expect(key).toMatch(/^igk_[0-9A-Za-z]{49}$/);
  expect(await isApiKey(key)).toBe(true);
  expect(await isApiKey(`${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`)).toBe(false);
  expect(await isApiKey(key.replace("igk_", "igx_"))).toBe(false);
});

test("bootstrap() makes a key once", async () => {
  const { ports } = await testControl();
  expect(await bootstrap(ports, "local")).toEqual({ org: "local", key: null });
});

test("createKey() and revokeKey() reach the edge", async () => {
  const control = await testControl();
  const keys = control.client(KeyService);
  const { key, secret } = await keys.createKey({ name: "ci", role: Role.DEVELOPER });
  expect(secret.startsWith(key?.prefix ?? "?")).toBe(true);
  expect(keysAtEdge(control)).toContain(key?.id);
  await keys.revokeKey({ id: key?.id ?? "" });
  expect(keysAtEdge(control)).not.toContain(key?.id);
  const listed = await keys.listKeys({ includeRevoked: true });
  expect(listed.keys.map(({ revokeTime }) => revokeTime !== undefined).sort()).toEqual([
    false,
    true,
  ]);
});

test("revokeKey() keeps the last key that owns or operates, unless it is forced", async () => {
  const control = await testControl();
  const keys = control.client(KeyService);
  const first = (await keys.whoAmI({})).key?.id ?? "";
  const { secret } = await keys.createKey({ name: "second", role: Role.OWNER });
  const owner = control.client(KeyService, secret);
  await expect(owner.revokeKey({ id: first })).rejects.toThrow("operates the platform");
  const { key } = await recoverKey(control.ports, "local", true);
  await owner.revokeKey({ id: first });
  const recovered = control.client(KeyService, key);
  await recovered.revokeKey({ id: (await owner.whoAmI({})).key?.id ?? "" });
  const own = (await recovered.whoAmI({})).key?.id ?? "";
  await expect(recovered.revokeKey({ id: own })).rejects.toMatchObject({
    code: Code.FailedPrecondition,
  });
  expect((await recovered.revokeKey({ id: own, force: true })).key?.revokeTime).toBeDefined();
});

test("recoverKey() makes owners of organizations, which only the platform's own calls can", async () => {
  const control = await testControl();
  await control.client(AdminService).createOrganization({ name: "acme" });
  const call = { method: "POST", body: JSON.stringify({ org: "acme" }) };
  const answer = await control.fetchInternal("/internal/keys", call);
  const { key } = (await answer.json()) as { key: string };
  const found = (await control.client(KeyService, key).whoAmI({})).key;
  expect(found).toMatchObject({ organization: "acme", role: Role.OWNER, operator: false });
  expect(keysAtEdge(control)).toContain(found?.id);
  const body = JSON.stringify({ org: "nobody" });
  expect((await control.fetchInternal("/internal/keys", { ...call, body })).status).toBe(404);
  expect((await control.fetchInternal("/internal/keys", { ...call, token: "x" })).status).toBe(401);
});

test("createKey() repeated with its idempotency key answers the same secret", async () => {
  const control = await testControl();
  const request = { name: "ci", role: Role.READER, idempotencyKey: "once" };
  const first = await control.client(KeyService).createKey(request);
  const again = await control.client(KeyService).createKey(request);
  expect(again.secret).toBe(first.secret);
  expect((await control.client(KeyService).listKeys({})).keys).toHaveLength(2);
});

test("authenticate() refuses expired and unknown keys, and says which", async () => {
  const control = await testControl();
  const expireTime = timestampFromMs(Date.now() + 60_000);
  const request = { name: "k", role: Role.READER, expireTime };
  const { secret } = await control.client(KeyService).createKey(request);
  await control.client(KeyService, secret).whoAmI({});
  control.clock.advance(Date.now() + 60_000 - control.clock.nowMs());
  expect(await refusalOf(control, secret)).toBe("The API key expired.");
  const unknown = await formatApiKey(new Uint8Array(32));
  expect(await refusalOf(control, unknown)).toBe("The API key is unknown.");
});

test("createKey() keeps nothing that the key could be made from but its digest", async () => {
  const control = await testControl();
  const { secret, key } = await control
    .client(KeyService)
    .createKey({ name: "k", role: Role.READER });
  const row = await control.ports.stores.keys.get(key?.id as KeyId);
  expect(row?.sha256).toBe(await sha256Hex(secret));
  expect(JSON.stringify(row)).not.toContain(secret);
});

async function refusalOf(control: TestControl, key: string): Promise<string> {
  const call = control.client(KeyService, key).whoAmI({});
  const error = ConnectError.from(await call.catch((caught: unknown) => caught));
  expect(error.code).toBe(Code.Unauthenticated);
  return error.rawMessage;
}

test("whoAmI() notes the use of a key, at most once a minute", async () => {
  const control = await testControl();
  const keys = control.client(KeyService);
  await keys.whoAmI({});
  const first = (await keys.whoAmI({})).key?.lastUseTime?.seconds;
  expect(first).toBe(BigInt(control.clock.nowMs() / 1_000));
  control.clock.advance(30_000);
  await keys.whoAmI({});
  expect((await keys.whoAmI({})).key?.lastUseTime?.seconds).toBe(first);
});

test("createOrganization() is audited in its own transaction, listed and bounded", async () => {
  const control = await testControl();
  const admin = control.client(AdminService);
  const { organization } = await admin.createOrganization({ name: "acme", quota: { appsMax: 1 } });
  expect(organization?.displayName).toBe("acme");
  const taken = admin.createOrganization({ name: "acme" });
  await expect(taken).rejects.toMatchObject({ code: Code.AlreadyExists });
  const { organizations } = await admin.listOrganizations({ pageSize: 1 });
  expect(organizations.map(({ name }) => name)).toEqual(["acme"]);
  const quota = await admin.setQuota({ name: "acme", quota: { appsMax: 2 } });
  expect(quota.organization?.quota?.appsMax).toBe(2);
  const { events } = await control.client(AuditService).listAuditEvents({});
  expect(events.map(({ action }) => action)).toEqual([
    "organization.quota",
    "organization.create",
    "organization.create",
  ]);
});
