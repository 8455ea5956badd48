import { afterAll, beforeAll, expect, test } from "vitest";
import { jsonOf, startTestCell, type TestCell, textOf } from "../../test/harness/workerd.ts";

let cell: TestCell;
beforeAll(async () => {
  cell = await startTestCell({
    config: { fallback: true },
    control: (request, response) => response.end(`control ${request.url}`),
  });
  await cell.deploy("acme/echo", "export default { fetch: (r) => Response.json([...r.headers]) }");
});
afterAll(() => cell.stop());

test("without a front the gateway drops platform headers and names the request itself", async () => {
  const headers = {
    "ignite-request-id": "forged",
    "ignite-hops": "99",
    "ignite-app": "x",
    "ignite-sticky": "s",
    "x-forwarded-for": "1.2.3.4",
  };
  const response = await cell.call("echo--acme.localhost", "/", { headers });
  const id = String(response.headers["ignite-request-id"]);
  expect(id).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/);
  const seen = Object.fromEntries(await jsonOf<[string, string][]>(response));
  expect(seen["ignite-request-id"]).toBe(id);
  expect(seen["ignite-sticky"]).toBe("s");
  expect(seen).not.toHaveProperty("ignite-hops");
  expect(seen).not.toHaveProperty("ignite-app");
  expect(seen["x-forwarded-for"]).toBe(""); // A unix socket has no address
});

test("without a front nobody speaks for the platform, or for all apps of an origin", async () => {
  const forged = { forwarded: "for=x", "x-forwarded-host": "x", "x-forwarded-prefix": "/x" };
  const response = await cell.call("echo--acme.localhost", "/", { headers: forged });
  const seen = Object.fromEntries(await jsonOf<[string, string][]>(response));
  for (const name of Object.keys(forged)) expect(seen, name).not.toHaveProperty(name);
  const headers = { "service-worker": "script" };
  expect((await cell.call("localhost", "/@acme/echo/", { headers })).statusCode).toBe(403);
  expect((await cell.call("echo--acme.localhost", "/", { headers })).statusCode).toBe(200);
});

test("without a front no app runs for who wants to be answered later", async () => {
  const headers = { prefer: "respond-async" };
  const response = await cell.call("echo--acme.localhost", "/", { headers });
  expect([response.statusCode, (await jsonOf(response))["reason"]]).toEqual([
    501,
    "NOT_IMPLEMENTED",
  ]);
});

test("without a front platform addresses go to control, the others to apps", async () => {
  expect(await textOf(await cell.call("localhost:8787", "/healthz"))).toBe("control /healthz");
  expect(await textOf(await cell.call("127.0.0.1:8787", "/docs"))).toBe("control /docs");
  expect((await cell.call("localhost:8787", "/@acme/echo/")).statusCode).toBe(200);
  expect((await cell.call("none--acme.localhost", "/healthz")).statusCode).toBe(404);
  expect((await cell.call("a@localhost", "/healthz")).statusCode).toBe(400);
});
