/** What the SDK's types promise; checked by tsc, and here only run so that nothing is unused. */
import { expectTypeOf, test } from "vitest";
import { type App, type Deployed, type Execution, Ignite, type IgniteApiError } from "./mod.ts";

const ignite = new Ignite({ url: "http://localhost:8787" });

test("what is answered has the types of the web", () => {
  expectTypeOf<ReturnType<App["fetch"]>>().toEqualTypeOf<Promise<Response>>();
  expectTypeOf<ReturnType<Execution["result"]>>().toEqualTypeOf<Promise<Response>>();
  expectTypeOf<ReturnType<Ignite["deploy"]>>().toEqualTypeOf<Promise<Deployed>>();
  expectTypeOf<IgniteApiError["code"]>().not.toEqualTypeOf<string>();
});

/** Never called: each line must compile. */
export function mustCompile() {
  ignite.compute.getApp({ app: "acme/hello" });
  ignite.compute.getApp({ app: { value: { case: "name", value: "acme/hello" } } });
  ignite.compute.setTraffic({ app: "acme/hello", traffic: [{ version: 3, weightPercent: 100 }] });
  ignite.compute.listApps({ organization: "acme" }, { timeoutMs: 1_000 });
}

/** Never called: each line must fail to compile. */
export function mustNotCompile() {
  // @ts-expect-error: options are not positional
  new Ignite("http://localhost:8787");
  // @ts-expect-error: a version is a number
  ignite.app("acme/hello", { version: "v3" });
  // @ts-expect-error: no such address form
  ignite.app("acme/hello", { address: "subdomain" });
  // @ts-expect-error: no such language
  ignite.deploy("acme/hello", { runtime: "cobol", files: {} });
  // @ts-expect-error: files are needed
  ignite.deploy("acme/hello", { runtime: "deno" });
  // @ts-expect-error: a file is text or bytes
  ignite.deploy("acme/hello", { runtime: "deno", files: { "main.ts": 1 } });
  // @ts-expect-error: limits carry their unit
  ignite.deploy("acme/hello", { runtime: "deno", files: {}, config: { limits: { memory: 1 } } });
  // @ts-expect-error: an app is named by text
  ignite.compute.getApp({ app: 1 });
  // @ts-expect-error: no such field
  ignite.compute.getApp({ app: "acme/hello", version: 1 });
  // @ts-expect-error: what a key may do is a role
  ignite.keys.createKey({ organization: "acme", role: "owner" });
}
