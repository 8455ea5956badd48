import { createHash } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { startEdgeFixture } from "./testing/edge-fixture.ts";

const source = "export default { fetch: () => new Response('hello') };";

test("apply() brings the organization's keys to a cell that only heard of its app by a push", async () => {
  const { edge, organization, publish, call, close } = await startEdgeFixture();
  onTestFinished(close);
  const key = "a-key-of-acme";
  const sha256 = createHash("sha256").update(key).digest("hex");
  const owner = { id: "key_1", sha256, role: "owner", apps: [], expiresMs: undefined } as const;
  await organization("acme", { keys: [owner] });
  const artifact = await publish("acme/hello", source);
  const version = { versionId: "ver_2", number: 2, artifact, vars: {} };
  expect(await edge.tryVersion({ app: "acme/hello", version })).toMatchObject({ ok: true });
  await publish("acme/hello", source, { access: { policy: "key" } });
  const headers = { authorization: `Bearer ${key}` };
  expect(await call("acme/hello", "/", { headers })).toMatchObject({ status: 200, text: "hello" });
  expect((await call("acme/hello", "/")).status).toBe(401);
});
