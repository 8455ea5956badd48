import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KeyId } from "../../core/ids.ts";
import {
  app,
  commit,
  createApp,
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

  test("organizations: create(), find(), list(), update()", async () => {
    await stores.ping();
    const beta = organization("beta");
    await stores.organizations.create(beta, key("beta"), commit());
    expect(await stores.organizations.find("beta")).toEqual(beta);
    expect(await stores.organizations.find("gamma")).toBeUndefined();
    const twin = stores.organizations.create(organization("beta"), key("beta"), commit());
    await expect(twin).rejects.toMatchObject({ reason: "ORGANIZATION_EXISTS" });
    const pages = await pagesOf((page) => stores.organizations.list(page), 1);
    expect(pages.map((rows) => rows.map(({ name }) => name))).toEqual([["acme"], ["beta"]]);
    const changed = { ...beta, displayName: "B", revision: 2 };
    await stores.organizations.update(changed, commit());
    expect(await stores.organizations.find("beta")).toEqual(changed);
    const stale = stores.organizations.update(changed, commit());
    await expect(stale).rejects.toMatchObject({ code: "aborted", reason: "ETAG_MISMATCH" });
  });

  test("organizations.createFirst() does nothing once there is one", async () => {
    const { stores: empty, close } = await open();
    const create = () => {
      const first = organization("local");
      return empty.organizations.createFirst(first, key("local"), commit());
    };
    expect([await create(), await create()]).toEqual([true, false]);
    const audit = { org: "", action: "", resourceId: "", actor: "" };
    expect((await empty.audit.list(audit, { limit: 10 })).items).toHaveLength(1);
    await close();
  });

  test("keys: create(), revoke(), touch(), and who is live", async () => {
    const first = key("acme", { createdMs: 20 });
    const second = key("acme", { createdMs: 30, expiresMs: 500 });
    await stores.keys.create(first, 1, commit());
    await stores.keys.create(second, 2, commit());
    const late = stores.keys.create(key("acme"), 2, commit());
    await expect(late).rejects.toMatchObject({ reason: "ETAG_MISMATCH" });
    expect(await stores.keys.findBySha256(first.sha256)).toEqual(first);
    expect(await stores.keys.findBySha256("none")).toBeUndefined();
    await stores.keys.touch(first.id, 77);
    await stores.keys.revoke(first, 99, 3, commit());
    expect(await stores.keys.get(first.id)).toEqual({ ...first, lastUsedMs: 77, revokedMs: 99 });
    expect((await stores.organizations.find("acme"))?.revision).toBe(4);
    expect((await stores.keys.listLive("acme", 100)).map((row) => row.id)).toHaveLength(2);
    expect((await stores.keys.listLive("acme", 500)).map((row) => row.id)).toHaveLength(1);
    const all = { org: "acme", includeDead: true, nowMs: 500 };
    const pages = await pagesOf((page) => stores.keys.list(all, page), 2);
    expect(pages.flat().map(({ createdMs }) => createdMs)).toEqual([30, 20, 10]);
    const live = await stores.keys.list({ ...all, includeDead: false }, { limit: 5 });
    expect(live.items).toHaveLength(1);
  });

  test("rows that come back are copies", async () => {
    const hello = await createApp(stores, app("hello"));
    const first = await stores.apps.find({ id: hello.id });
    if (first !== undefined) first.name = "changed";
    expect((await stores.apps.find({ id: hello.id }))?.name).toBe("hello");
    expect(await stores.keys.get("key_none" as KeyId)).toBeUndefined();
  });
});
