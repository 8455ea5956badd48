import { expect, test } from "vitest";
import { closedAfterEach } from "./testing/edge-fixture.ts";

const start = closedAfterEach();

const answering = (text: string) =>
  `export default { fetch(request) { return new Response(${JSON.stringify(text)} + new URL(request.url).pathname); } };`;

test("startEdge() serves an app by host and by path, and control on the platform's host", async () => {
  const { publish, call } = await start();
  await publish("acme/hello", answering("hello"));
  const byHost = await call("acme/hello", "/a");
  expect(byHost).toMatchObject({ status: 200, text: "hello/a" });
  expect(byHost.headers["ignite-request-id"]).toMatch(/^[0-9a-f]{26}$/);
  const again = await call("acme/hello", "/b");
  expect(again.text).toBe("hello/b");
  const byPath = await call("acme/hello", "/@acme/hello/c", { host: "localhost" });
  expect(byPath.text).toBe("hello/c");
  expect((await call("", "/x", { host: "localhost" })).text).toBe("control");
});

test("startEdge() serves apps and control without a proxy, and says what that costs", async () => {
  const { edge, publish, call } = await start({ withoutProxy: true });
  expect(edge.sandbox.missing.join()).toContain("haproxy");
  await publish("acme/hello", answering("hello"));
  await publish("other/hello", answering("other"));
  expect((await call("acme/hello", "/a")).text).toBe("hello/a");
  expect((await call("other/hello", "/a")).text).toBe("other/a");
  expect((await call("", "/x", { host: "localhost" })).text).toBe("control");
  const source = `export default { fetch: (r) => new Response(r.headers.get("x-forwarded-for")) };`;
  await publish("acme/address", source);
  const headers = { "x-forwarded-for": "192.0.2.1" };
  expect((await call("acme/address", "/", { headers })).text).toBe("127.0.0.1");
});
