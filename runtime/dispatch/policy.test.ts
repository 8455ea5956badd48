import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AccessPolicy, KeyDocument } from "../../core/deployment.ts";
import { signedOrganization } from "../../test/harness/documents.ts";
import { jsonOf, startTestCell, type TestCell, textOf } from "../../test/harness/workerd.ts";

const ECHO = `export default { async fetch(r) { return new Response(r.body ?? "none", { headers: { "x-length": r.headers.get("content-length") ?? "-" } }); } }`;
const LIMITS = {
  memoryMb: 128,
  cpuMs: 1_000,
  timeoutMs: 30_000,
  bodyMb: 1,
  methods: [] as string[],
};

let cell: TestCell;
let keySet: unknown;
const egressed: string[] = [];

beforeAll(async () => {
  cell = await startTestCell({
    egress: (request, response) => {
      egressed.push(String(request.headers["ignite-egress-url"]));
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(keySet));
    },
  });
});
afterAll(() => cell.stop());

async function statusOf(host: string, headers: Record<string, string> = {}) {
  const response = await cell.call(host, "/", { headers });
  const text = await textOf(response);
  const reason = response.statusCode === 200 ? "" : JSON.parse(text).reason;
  return [response.statusCode, reason];
}

function key(id: string, secret: string, more: Partial<KeyDocument> = {}): KeyDocument {
  const sha256 = createHash("sha256").update(secret).digest("hex");
  return { id, sha256, role: "invoker", apps: [], expiresMs: undefined, ...more };
}

test("an app with policy key takes only keys of its organization that may call it", async () => {
  const access: AccessPolicy = { policy: "key" };
  await cell.deploy("acme/locked", ECHO, { access });
  const keys = [
    key("a", "igk_good"),
    key("b", "igk_other", { apps: ["another"] }),
    key("c", "igk_old", { expiresMs: 1 }),
    key("d", "igk_reader", { role: "reader" }),
  ];
  await cell.push(await signedOrganization({ org: "acme", isolation: "org", keys }));
  const host = "locked--acme.localhost";
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  expect(await statusOf(host)).toEqual([401, "CREDENTIAL_MISSING"]);
  expect(await statusOf(host, { authorization: "Basic eA==" })).toEqual([
    401,
    "CREDENTIAL_MISSING",
  ]);
  expect(await statusOf(host, bearer("igk_unknown"))).toEqual([401, "CREDENTIAL_INVALID"]);
  for (let at = 0; at < 2; at++) {
    expect(await statusOf(host, bearer("igk_good"))).toEqual([200, ""]);
    expect(await statusOf(host, bearer("igk_other"))).toEqual([403, "PERMISSION_DENIED"]);
    expect(await statusOf(host, bearer("igk_old"))).toEqual([401, "CREDENTIAL_INVALID"]);
    expect(await statusOf(host, bearer("igk_reader"))).toEqual([200, ""]);
  }
  await cell.push(await signedOrganization({ org: "acme", isolation: "org", keys: [] }));
  expect(await statusOf(host, bearer("igk_good"))).toEqual([401, "CREDENTIAL_INVALID"]);
});

test("an app never sees a platform key, and sees every other credential", async () => {
  await cell.deploy(
    "acme/nosy",
    `export default { fetch(request) {
      return new Response(request.headers.get("authorization") ?? "none");
    } };`,
  );
  const seen = async (authorization: string) => {
    return textOf(await cell.call("nosy--acme.localhost", "/", { headers: { authorization } }));
  };
  expect(await seen("Bearer igk_secret")).toBe("none");
  expect(await seen("bearer IGK_secret")).toBe("none");
  expect(await seen("Bearer of-the-app")).toBe("Bearer of-the-app");
});

test("an app with policy jwt takes tokens of its issuer, whose keys come through egress", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  keySet = { keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256" }] };
  const access: AccessPolicy = {
    policy: "jwt",
    issuer: "https://id.example.org",
    audience: "acme",
    jwksUrl: "https://id.example.org/jwks.json",
  };
  await cell.deploy("acme/jwt", ECHO, { access });
  const token = (claims: { issuer: string; expires: string }) =>
    new SignJWT({})
      .setProtectedHeader({ alg: "ES256", kid: "k1" })
      .setIssuer(claims.issuer)
      .setAudience("acme")
      .setExpirationTime(claims.expires)
      .sign(privateKey);
  const status = async (issuer: string, expires: string) =>
    statusOf("jwt--acme.localhost", {
      authorization: `Bearer ${await token({ issuer, expires })}`,
    });
  expect(await status("https://id.example.org", "1m")).toEqual([200, ""]);
  expect(await status("https://id.example.org", "1m")).toEqual([200, ""]);
  expect(await status("https://evil.example.org", "1m")).toEqual([401, "CREDENTIAL_INVALID"]);
  expect(await status("https://id.example.org", "-1m")).toEqual([401, "CREDENTIAL_INVALID"]);
  expect(egressed).toEqual(["https://id.example.org/jwks.json"]);
});

test("methods outside the app's limits are refused", async () => {
  await cell.deploy("acme/posts", ECHO, { limits: { ...LIMITS, methods: ["POST"] } });
  const response = await cell.call("posts--acme.localhost", "/");
  expect([response.statusCode, response.headers.allow]).toEqual([405, "POST"]);
});

test("a body over the limit is refused when declared and cut off when not", async () => {
  await cell.deploy(
    "acme/small",
    "export default { async fetch(r) { return new Response(String((await r.arrayBuffer()).byteLength)); } }",
  );
  const host = "small--acme.localhost";
  // Neither caller writes on once it is refused: then the connection may be closed
  const declared = await cell.call(host, "/", {
    method: "POST",
    headers: { "content-length": String(2 * 1024 * 1024) },
    body: new Readable({ read() {} }),
  });
  expect([declared.statusCode, (await jsonOf(declared))["reason"]]).toEqual([
    413,
    "BODY_TOO_LARGE",
  ]);
  const fits = await cell.call(host, "/", {
    method: "POST",
    body: Readable.from([new Uint8Array(1000)]),
  });
  expect([fits.statusCode, await textOf(fits)]).toEqual([200, "1000"]);
  const chunks = new Readable({ read() {} });
  for (let at = 0; at < 17; at++) chunks.push(new Uint8Array(64 * 1024));
  const chunked = await cell.call(host, "/", { method: "POST", body: chunks });
  expect([chunked.statusCode, (await jsonOf(chunked))["reason"]]).toEqual([413, "BODY_TOO_LARGE"]);
});

test("a guest that does not answer in time is given up, with and without pings", async () => {
  const source = "export default { fetch: (r) => new Promise((f) => setTimeout(f, 60000)) }";
  await cell.deploy("acme/slow", source, { limits: { ...LIMITS, timeoutMs: 50 } });
  expect(await statusOf("slow--acme.localhost")).toEqual([504, "GUEST_TIMED_OUT"]);
  const answer = statusOf("slow--acme.localhost");
  let done = false;
  void answer.then(() => {
    done = true;
  });
  const records: { outcome: string; reason: string }[] = [];
  while (!done) records.push(...(await cell.admin<{ records: typeof records }>("/ping")).records);
  expect(await answer, cell.lines.join("\n")).toEqual([504, "GUEST_TIMED_OUT"]);
  records.push(...(await cell.admin<{ records: typeof records }>("/ping")).records);
  expect(records.at(-1)).toMatchObject({
    outcome: "timed_out",
    reason: "GUEST_TIMED_OUT",
    status: 504,
  });
});

test("bodies are checked against the app's schemas", async () => {
  const schema = {
    input: { type: "object", required: ["n"], properties: { n: { type: "integer" } } },
    output: { type: "object", required: ["ok"] },
  };
  const source =
    "export default { async fetch(r) { if (r.method === 'GET') return Response.json({ ok: 1 }); const b = await r.json(); return Response.json(b.n > 5 ? { bad: 1 } : { ok: b.n }); } }";
  await cell.deploy("acme/schema", source, { schema });
  const post = async (body: string) => {
    const response = await cell.call("schema--acme.localhost", "/", { method: "POST", body });
    return { status: response.statusCode, body: await jsonOf(response) };
  };
  expect(await post('{"n":1}')).toEqual({ status: 200, body: { ok: 1 } });
  expect(await post('{"n":"x"}')).toMatchObject({
    status: 400,
    body: { reason: "INPUT_REJECTED", detail: expect.stringContaining("#/n") },
  });
  expect(await post("{")).toMatchObject({ status: 400, body: { reason: "INPUT_REJECTED" } });
  expect(await post('{"n":9}')).toMatchObject({ status: 502, body: { reason: "OUTPUT_REJECTED" } });
  expect(await statusOf("schema--acme.localhost")).toEqual([200, ""]);
  const large = await cell.call("schema--acme.localhost", "/", {
    method: "POST",
    body: Readable.from([new Uint8Array(1024 * 1024 + 1)]),
  });
  expect(large.statusCode).toBe(413);
});

test("a request that came through too many apps is refused", async () => {
  await cell.deploy("acme/loop", ECHO);
  expect(await statusOf("loop--acme.localhost", { "ignite-hops": "16" })).toEqual([200, ""]);
  expect(await statusOf("loop--acme.localhost", { "ignite-hops": "17" })).toEqual([
    508,
    "LOOP_DETECTED",
  ]);
  expect(await statusOf("loop--acme.localhost", { "ignite-hops": "-1" })).toEqual([
    508,
    "LOOP_DETECTED",
  ]);
});
