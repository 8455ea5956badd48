import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCell, type TestCell, textOf } from "../../test/harness/workerd.ts";

let cell: TestCell;
beforeAll(async () => {
  cell = await startTestCell();
});
afterAll(() => cell.stop());

test("the gateway answers by host and by path", async () => {
  await cell.deploy(
    "acme/hello",
    "export default { fetch: (r) => new Response(`hello ${new URL(r.url).pathname}`) }",
  );
  const byHost = await cell.call("hello--acme.localhost:8787", "/a?b=1");
  expect([byHost.statusCode, await textOf(byHost)]).toEqual([200, "hello /a"]);
  const byPath = await cell.call("localhost:8787", "/@acme/hello/x/y");
  expect(await textOf(byPath)).toBe("hello /x/y");
});
