/**
 * Calls every method of every public service without a key, with wrong ones, and with one whose
 * role is too low. `weakest-key.txt` lists the methods that the weakest key may call, each with its
 * reason, so that adding one is a change to be read.
 */
import { readFile } from "node:fs/promises";
import { create, type DescMethod, type DescMethodUnary } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { beforeAll, expect, test } from "vitest";
import { AdminService } from "../../proto/gen/ignite/v1/admin_service_pb.ts";
import { Role } from "../../proto/gen/ignite/v1/key_pb.ts";
import { KeyService } from "../../proto/gen/ignite/v1/key_service_pb.ts";
import { type TestControl, testControl } from "../testing/control.ts";
import { permissions } from "../operations/permissions.ts";
import { publicServices } from "./router.ts";

const methods = publicServices.flatMap((service) => service.methods);
const nameOf = (method: DescMethod) => `${method.parent.typeName}/${method.name}`;
const wrongKeys: [string, string][] = [
  ["no key", ""],
  ["a malformed key", "igk_123"],
  ["a mistyped key", `igk_${"0".repeat(49)}`],
];
let control: TestControl;

beforeAll(async () => {
  control = await testControl();
});

test("permissions have exactly the methods that are served", () => {
  expect([...permissions.keys()].sort()).toEqual(methods.map(nameOf).sort());
});

test.each(wrongKeys)("every method refuses %s", async (_, key) => {
  for (const method of methods) {
    expect(await codeOf(method, key), nameOf(method)).toBe(Code.Unauthenticated);
  }
});

test("every method refuses a revoked key", async () => {
  const keys = control.client(KeyService);
  const revoked = await keys.createKey({ name: "revoked", role: Role.OWNER });
  await keys.revokeKey({ id: revoked.key?.id ?? "" });
  for (const method of methods) {
    expect(await codeOf(method, revoked.secret), nameOf(method)).toBe(Code.Unauthenticated);
  }
});

test("the weakest key may call what weakest-key.txt lists, and nothing else", async () => {
  const { secret } = await control
    .client(KeyService)
    .createKey({ name: "weak", role: Role.INVOKER });
  const allowed: string[] = [];
  for (const method of methods) {
    if ((await codeOf(method, secret)) !== Code.PermissionDenied) allowed.push(nameOf(method));
  }
  const list = await readFile(new URL("weakest-key.txt", import.meta.url), "utf8");
  const listed = list.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  expect(allowed.sort()).toEqual(listed.map((line) => line.split(" ")[0]).sort());
});

test("an owner who is no operator may not call AdminService", async () => {
  const { secret } = await control.client(KeyService).createKey({ name: "o", role: Role.OWNER });
  for (const method of methods.filter(({ parent }) => parent.name === "AdminService")) {
    expect(await codeOf(method, secret), nameOf(method)).toBe(Code.PermissionDenied);
  }
});

test("a key that is limited to apps governs neither keys nor the audit trail", async () => {
  const limited = { name: "limited", role: Role.OWNER, apps: ["hello"] };
  const { secret } = await control.client(KeyService).createKey(limited);
  const governing = methods.filter((method) => permissions.get(nameOf(method)) === "own");
  for (const method of governing) {
    expect(await codeOf(method, secret), nameOf(method)).toBe(Code.PermissionDenied);
  }
});

test("who may not is told what, and which key it takes", async () => {
  const reader = { name: "reader", role: Role.READER };
  const { secret: key } = await control.client(KeyService).createKey(reader);
  const upload = await control.fetch(`/blobs/${"0".repeat(64)}`, { method: "PUT", body: "", key });
  expect(((await upload.json()) as { detail: string }).detail).toBe(
    "A key of role reader may not upload sources. It takes the role developer; " +
      "an owner makes one with `ignite keys create --role developer`.",
  );
  expect(upload.headers.get("ignite-hint")).toMatch(/^It takes the role developer;/);
  const admin = control.client(AdminService, key).listOrganizations({});
  await expect(admin).rejects.toThrow("A key of role reader may not list organizations.");
});

/** The code an empty call ends with; undefined when it succeeds. */
async function codeOf(method: DescMethod, key: string): Promise<Code | undefined> {
  const transport = createConnectTransport({
    baseUrl: "http://localhost:8787",
    fetch: (input, init) => control.fetch(new URL(String(input)).pathname, { ...init, key }),
  });
  try {
    await callEmpty(transport, method);
    return undefined;
  } catch (caught) {
    return ConnectError.from(caught).code;
  }
}

async function callEmpty(transport: Transport, method: DescMethod): Promise<void> {
  const message = create(method.input);
  if (method.methodKind === "unary") {
    await transport.unary(method as DescMethodUnary, undefined, undefined, undefined, message);
    return;
  }
  async function* one() {
    yield message;
  }
  const streaming = method as Parameters<Transport["stream"]>[0];
  const response = await transport.stream(streaming, undefined, undefined, undefined, one());
  for await (const _ of response.message) return;
}
