import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  app,
  commit,
  document,
  draft,
  key,
  organization,
  type OpenedStores,
  pagesOf,
  storeImplementations,
} from "../../test/harness/stores.ts";
import type { Stores } from "../ports.ts";

describe.each(storeImplementations)("stores in %s", (_, open) => {
  let stores: Stores;
  let opened: OpenedStores;
  beforeEach(async () => {
    opened = await open();
    stores = opened.stores;
    await stores.organizations.create(organization("acme"), key("acme"), commit());
  });
  afterEach(() => opened.close());

  test("documents get sequences without holes or repeats, however many come at once", async () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    await Promise.all(
      names.map((name) => {
        const row = app(name);
        const change = commit({ document: document(`acme/${name}`) });
        return stores.apps.create(row, draft(row.id), change);
      }),
    );
    const found = await stores.documents.list(0, 100);
    expect(found.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(found.every((row) => row.signature === `signed ${row.sequence}`)).toBe(true);
    const row = await stores.apps.find({ org: "acme", name: "a" });
    if (row === undefined) throw new Error("the app is there");
    const expected = { revision: 1, documentRevision: 1 };
    const changed = { ...row, revision: 2, documentRevision: 2 };
    await stores.apps.change(
      { app: changed, expected, versions: [] },
      commit({ document: document("acme/a", "new") }),
    );
    expect(await stores.documents.list(6, 100)).toMatchObject([{ key: "acme/a", sequence: 7 }]);
    expect(await stores.documents.list(0, 3)).toHaveLength(3);
    expect(await stores.documents.find("organization", "acme/a")).toBeUndefined();
  });

  test("a commit with an idempotency key happens once while that lives", async () => {
    const answer = (nowMs: number) => {
      const idempotency = {
        org: "acme",
        actor: "key_a",
        key: "again",
        method: "CreateApp",
        requestDigest: "d",
        resultJson: `{"at":${nowMs}}`,
        expiresMs: nowMs + 100,
      };
      const change = commit({ idempotency });
      return { ...change, audit: { ...change.audit, timeMs: nowMs } };
    };
    const create = (name: string, nowMs: number) => {
      const row = app(name);
      return stores.apps.create(row, draft(row.id), answer(nowMs));
    };
    const both = await Promise.allSettled([create("one", 1_000), create("two", 1_000)]);
    const failed = both.find((result) => result.status === "rejected");
    expect(failed?.reason).toMatchObject({ code: "aborted", reason: "IDEMPOTENCY_CONFLICT" });
    expect(await stores.apps.count("acme")).toMatchObject({ live: 1 });
    const { find, prune } = stores.idempotency;
    expect((await find("acme", "key_a", "again", 1_099))?.resultJson).toBe('{"at":1000}');
    expect(await find("acme", "key_a", "again", 1_100)).toBeUndefined();
    await create("three", 1_100);
    expect((await find("acme", "key_a", "again", 1_100))?.resultJson).toBe('{"at":1100}');
    expect([await prune(1_150, 10), await prune(1_300, 10)]).toEqual([0, 1]);
  });

  test("audit.list() filters and pages, newest first", async () => {
    const change = commit();
    const special = {
      ...change,
      audit: { ...change.audit, action: "app.create", resourceId: "r2", actor: "", timeMs: 9_999 },
    };
    const row = app("hello");
    await stores.apps.create(row, draft(row.id), special);
    const all = { org: "acme", action: "", resourceId: "", actor: "" };
    const pages = await pagesOf((page) => stores.audit.list(all, page), 1);
    expect(pages.map((rows) => rows.length)).toEqual([1, 1]);
    expect(pages[0]?.[0]).toEqual(special.audit);
    const count = async (filter: object) =>
      (await stores.audit.list({ ...all, ...filter }, { limit: 9 })).items.length;
    expect(await count({ action: "app.create" })).toBe(1);
    expect(await count({ resourceId: "res" })).toBe(1);
    expect(await count({ actor: "key_a" })).toBe(1);
    expect(await count({ org: "beta" })).toBe(0);
    expect(await count({ afterMs: 9_999 })).toBe(1);
    expect(await count({ beforeMs: 9_999 })).toBe(1);
    await expect(stores.audit.list(all, { limit: 1, cursor: "x" })).rejects.toMatchObject({
      reason: "PAGE_TOKEN_INVALID",
    });
  });

  test("audit.prune() deletes the oldest before a time, at most as many as asked", async () => {
    const timed = (timeMs: number) => {
      const change = commit();
      return { ...change, audit: { ...change.audit, timeMs } };
    };
    for (const timeMs of [30_000, 10_000, 20_000]) {
      const row = app(`at${timeMs}`);
      await stores.apps.create(row, draft(row.id), timed(timeMs));
    }
    const all = { org: "acme", action: "", resourceId: "", actor: "", afterMs: 10_000 };
    const times = async () =>
      (await stores.audit.list(all, { limit: 9 })).items.map(({ timeMs }) => timeMs);
    await stores.audit.prune(10_000, 9); // What set the test up
    expect(await stores.audit.prune(30_000, 1)).toBe(1);
    expect(await times()).toEqual([30_000, 20_000]);
    expect(await stores.audit.prune(30_000, 9)).toBe(1);
    expect(await stores.audit.prune(30_000, 9)).toBe(0);
    expect(await times()).toEqual([30_000]);
  });
});
