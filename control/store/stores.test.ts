import { build } from "esbuild";
import { expect, test } from "vitest";
import { databaseStores } from "./stores.ts";

test("databaseStores() say STORE_UNAVAILABLE when nothing answers", async () => {
  const stores = databaseStores({
    url: "http://store",
    authToken: "",
    fetch: () => Promise.reject(new TypeError("fetch failed")),
  });
  await expect(stores.ping()).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
  const find = stores.organizations.find("acme");
  await expect(find).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
});

test("databaseStores() need no Node API, so they run in a Worker without Node compatibility", async () => {
  const { metafile } = await build({
    entryPoints: [`${import.meta.dirname}/stores.ts`],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  expect(imports).toEqual([]);
});
