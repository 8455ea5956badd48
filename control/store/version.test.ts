import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  app,
  commit,
  createApp,
  digest,
  document,
  key,
  organization,
  type OpenedStores,
  pagesOf,
  storeImplementations,
  version,
} from "../../test/harness/stores.ts";
import type { Stores, VersionRow } from "../ports.ts";

describe.each(storeImplementations)("stores in %s", (_, open) => {
  let stores: Stores;
  let opened: OpenedStores;
  beforeEach(async () => {
    opened = await open();
    stores = opened.stores;
    await stores.organizations.create(organization("acme"), key("acme"), commit());
  });
  afterEach(() => opened.close());

  test("versions.create() numbers them, also when two come at once", async () => {
    const hello = await createApp(stores, app("hello"));
    const created = await Promise.all([
      stores.versions.create(version(hello.id), commit()),
      stores.versions.create(version(hello.id), commit()),
    ]);
    expect(created.map(({ number }) => number).toSorted()).toEqual([1, 2]);
    expect((await stores.apps.find({ id: hello.id }))?.latestVersion).toBe(2);
    expect((await stores.apps.getDraft(hello.id))?.lastVersion).toBe(2);
    const [first] = created;
    expect(first && (await stores.versions.getById(first.id))).toEqual(first);
  });

  test("versions.trim() deletes the oldest that nobody needs", async () => {
    const hello = await createApp(stores, app("hello"));
    const other = await createApp(stores, app("other"));
    await stores.versions.create(version(other.id, { state: "ready" }), commit());
    const states = ["failed", "active", "superseded", "ready", "compiling", "ready"] as const;
    for (const state of states) {
      await stores.versions.create(version(hello.id, { state }), commit());
    }
    const kept = async () => {
      const filter = { appId: hello.id, states: [] };
      const { items } = await stores.versions.list(filter, { limit: 10 });
      return items.map(({ number }) => number);
    };
    expect(await stores.versions.trim(hello.id, 5, [3], 1)).toBe(1);
    expect(await kept()).toEqual([6, 5, 4, 3, 2]);
    expect(await stores.versions.trim(hello.id, 5, [3], 10)).toBe(1);
    expect(await kept()).toEqual([6, 5, 3, 2]);
    expect(await stores.versions.trim(hello.id, 5, [], 10)).toBe(1);
    expect(await kept()).toEqual([6, 5, 2]);
    expect(await stores.versions.get(other.id, 1)).toBeDefined();
  });

  test("versions.finish() ends a compile once", async () => {
    const hello = await createApp(stores, app("hello"));
    const one = await stores.versions.create(version(hello.id), commit());
    const outcome = {
      state: "ready" as const,
      artifactDigest: digest("artifact"),
      sizeBytes: 1,
      assetCount: 2,
      moduleCount: 3,
      diagnosticsJson: "[]",
      compiledMs: 4,
    };
    const finish = (revision: number) =>
      stores.versions.finish(
        one.id,
        outcome,
        revision,
        commit({ document: document("acme/hello") }),
      );
    await expect(finish(7)).rejects.toMatchObject({ reason: "ETAG_MISMATCH" });
    expect([await finish(1), await finish(2)]).toEqual([true, false]);
    expect(await stores.versions.get(hello.id, 1)).toEqual({ ...one, ...outcome });
    expect((await stores.apps.find({ id: hello.id }))?.documentRevision).toBe(2);
    expect(await stores.documents.list(0, 10)).toHaveLength(1);
  });

  test("versions: list(), findCompiled(), listReachable(), failStale()", async () => {
    const hello = await createApp(stores, app("hello"));
    for (const state of ["superseded", "ready", "failed", "active", "compiling"] as const) {
      await stores.versions.create(version(hello.id, { state }), commit());
    }
    const numbers = (rows: readonly VersionRow[]) => rows.map(({ number }) => number);
    const filter = { appId: hello.id, states: [] };
    const pages = await pagesOf((page) => stores.versions.list(filter, page), 2);
    expect(pages.map(numbers)).toEqual([[5, 4], [3, 2], [1]]);
    const some = { appId: hello.id, states: ["ready", "failed"] as const };
    expect(numbers((await stores.versions.list(some, { limit: 9 })).items)).toEqual([3, 2]);
    expect((await stores.versions.findCompiled(hello.id, "input"))?.number).toBe(4);
    expect(await stores.versions.findCompiled(hello.id, "else")).toBeUndefined();
    expect(numbers(await stores.versions.listReachable(hello.id, 1, [1, 3]))).toEqual([4, 1]);
    expect(numbers(await stores.versions.listReachable(hello.id, 9, []))).toEqual([4, 2, 1]);
    expect(await stores.versions.failStale(1, "{}", 50)).toBe(0);
    expect(await stores.versions.failStale(2, '{"a":1}', 50)).toBe(1);
    const failed = await stores.versions.get(hello.id, 5);
    expect(failed).toMatchObject({ state: "failed", failureJson: '{"a":1}', compiledMs: 50 });
  });
});
