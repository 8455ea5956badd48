import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { expect, test } from "vitest";
import {
  callBurstMax,
  callsPerSecond,
  wrongKeyBurstMax,
  wrongKeysPerSecond,
} from "../../core/limits.ts";
import { AdminService } from "../../proto/gen/ignite/v1/admin_service_pb.ts";
import { ErrorInfoSchema } from "../../proto/gen/ignite/v1/error_pb.ts";
import { Role } from "../../proto/gen/ignite/v1/key_pb.ts";
import { KeyService } from "../../proto/gen/ignite/v1/key_service_pb.ts";
import { type TestControl, testControl } from "../testing/control.ts";
import { formatApiKey } from "./api-key.ts";

const wrongKey = await formatApiKey(new Uint8Array(32));
const HOME = "192.0.2.1";
const protocols = [
  ["Connect", createConnectTransport],
  ["gRPC-Web", createGrpcWebTransport],
] as const;

async function from(control: TestControl, address: string, key: string): Promise<Response> {
  return control.fetch("/executions/exe_1", { key, headers: { "x-forwarded-for": address } });
}

async function reasonOf(response: Response): Promise<string> {
  return ((await response.json()) as { reason: string }).reason;
}

async function exhaustCalls(control: TestControl): Promise<void> {
  for (let count = 0; count < callBurstMax; count += 1) await from(control, HOME, control.key);
}

test("an organization that calls too often is told when to go on, others are not held up", async () => {
  const control = await testControl();
  const { secret } = await control.client(AdminService).createOrganization({ name: "other" });
  await exhaustCalls(control);
  const refused = await from(control, HOME, control.key);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  expect(await reasonOf(refused)).toBe("RATE_LIMITED");
  expect((await from(control, HOME, secret)).status).toBe(404);
  control.clock.advance(1_000 / callsPerSecond);
  expect((await from(control, HOME, control.key)).status).toBe(404);
  expect((await from(control, HOME, control.key)).status).toBe(429);
});

test.each(protocols)("%s says that calls are too many, and for how long", async (_, transport) => {
  const control = await testControl();
  await exhaustCalls(control);
  const fetch = async (input: string | URL | Request, init?: RequestInit) => {
    const request = new Request(input, init);
    const body = new Uint8Array(await request.arrayBuffer());
    return control.fetch(new URL(request.url).pathname, {
      method: "POST",
      headers: request.headers,
      body,
    });
  };
  const client = createClient(KeyService, transport({ baseUrl: "http://localhost:8787", fetch }));
  const error = ConnectError.from(await client.whoAmI({}).catch((caught: unknown) => caught));
  expect(error.code).toBe(Code.ResourceExhausted);
  expect(error.metadata.get("retry-after")).toBe("1");
  const [info] = error.findDetails(ErrorInfoSchema);
  expect(info).toMatchObject({
    reason: "RATE_LIMITED",
    retryable: true,
    details: { retryAfterSeconds: "1" },
  });
  expect(info?.hint).toContain("1 s");
});

test("an address that sends wrong keys is not looked up for, but for keys that were right", async () => {
  const control = await testControl();
  const { stores } = control.ports;
  const { secret: fresh } = await control
    .client(KeyService)
    .createKey({ name: "fresh", role: Role.INVOKER });
  expect((await from(control, HOME, control.key)).status).toBe(404);
  for (let count = 0; count < wrongKeyBurstMax; count += 1) {
    expect((await from(control, HOME, wrongKey)).status).toBe(401);
  }
  let queries = 0;
  const find = stores.keys.findBySha256;
  stores.keys.findBySha256 = (sha256) => {
    queries += 1;
    return find(sha256);
  };
  const refused = await from(control, HOME, wrongKey);
  expect([refused.status, await reasonOf(refused)]).toEqual([429, "RATE_LIMITED"]);
  expect((await from(control, HOME, fresh)).status).toBe(429);
  expect(queries).toBe(0);
  expect((await from(control, HOME, control.key)).status).toBe(404);
  expect((await from(control, "192.0.2.2", wrongKey)).status).toBe(401);
  control.clock.advance(1_000 / wrongKeysPerSecond);
  expect((await from(control, HOME, fresh)).status).toBe(404);
});

test("a key that cannot be one is not counted, for it costs nothing", async () => {
  const control = await testControl();
  for (let count = 0; count <= wrongKeyBurstMax; count += 1) {
    expect((await from(control, HOME, "igk_nonsense")).status).toBe(401);
  }
  expect((await from(control, HOME, control.key)).status).toBe(404);
});

test("a key that was right and is revoked counts as wrong", async () => {
  const control = await testControl();
  const keys = control.client(KeyService);
  const { key, secret } = await keys.createKey({ name: "old", role: Role.INVOKER });
  expect((await from(control, HOME, secret)).status).toBe(404);
  await keys.revokeKey({ id: key?.id ?? "" });
  for (let count = 0; count < wrongKeyBurstMax; count += 1) {
    expect((await from(control, HOME, secret)).status).toBe(401);
  }
  expect((await from(control, HOME, secret)).status).toBe(429);
});
