import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  app,
  commit,
  createApp,
  digest,
  document,
  draft,
  execution,
  key,
  organization,
  type OpenedStores,
  pagesOf,
  storeImplementations,
  version,
} from "../../test/harness/stores.ts";
import type { AppRow, Stores } from "../ports.ts";

describe.each(storeImplementations)("stores in %s", (_, open) => {
  let stores: Stores;
  let opened: OpenedStores;
  beforeEach(async () => {
    opened = await open();
    stores = opened.stores;
    await stores.organizations.create(organization("acme"), key("acme"), commit());
  });
  afterEach(() => opened.close());

  test("apps: create(), find(), list(), count()", async () => {
    const hello = await createApp(stores, app("hello", { domains: ["a.test"], traffic: [] }));
    await createApp(stores, app("api", { deletedMs: 5 }));
    expect(await stores.apps.find({ id: hello.id })).toEqual(hello);
    expect(await stores.apps.find({ org: "acme", name: "hello" })).toEqual(hello);
    expect(await stores.apps.find({ org: "beta", name: "hello" })).toBeUndefined();
    expect(await stores.apps.getDraft(hello.id)).toEqual(draft(hello.id));
    expect(await stores.apps.idsOf(["acme/hello", "acme/none"])).toEqual(
      new Map([["acme/hello", hello.id]]),
    );
    expect(await stores.apps.count("acme")).toEqual({ live: 1, deleted: 1 });
    expect(await stores.apps.count("beta")).toEqual({ live: 0, deleted: 0 });
    await expect(createApp(stores, app("hello"))).rejects.toMatchObject({ reason: "APP_EXISTS" });
    const taken = createApp(stores, app("other", { domains: ["a.test"] }));
    await expect(taken).rejects.toMatchObject({ reason: "DOMAIN_TAKEN" });
    expect(await stores.apps.find({ org: "acme", name: "other" })).toBeUndefined();
    const names = async (includeDeleted: boolean, only: string[]) =>
      (
        await pagesOf(
          (page) => stores.apps.list({ org: "acme", includeDeleted, names: only }, page),
          1,
        )
      )
        .flat()
        .map(({ name }) => name);
    expect(await names(true, [])).toEqual(["api", "hello"]);
    expect(await names(false, [])).toEqual(["hello"]);
    expect(await names(true, ["api", "none"])).toEqual(["api"]);
  });

  test("apps.change() writes app, versions and document together, or nothing", async () => {
    const hello = await createApp(stores, app("hello", { accessJson: "{}" }));
    const one = await stores.versions.create(version(hello.id, { state: "ready" }), commit());
    const { accessJson: _, ...open } = hello;
    const live: AppRow = {
      ...open,
      latestVersion: 1,
      traffic: [{ version: 1, weight: 100 }],
      domains: ["a.test"],
      revision: 2,
      documentRevision: 2,
    };
    const change = {
      app: live,
      expected: { revision: 1, documentRevision: 1 },
      versions: [{ number: 1, state: "active" as const, publishedMs: 9, message: undefined }],
    };
    await stores.apps.change(change, commit({ document: document("acme/hello") }));
    expect(await stores.apps.find({ id: hello.id })).toEqual(live);
    const active = { ...one, state: "active", publishedMs: 9 };
    expect(await stores.versions.get(hello.id, 1)).toEqual(active);
    expect((await stores.documents.find("app", "acme/hello"))?.sequence).toBe(1);
    const again = stores.apps.change(change, commit({ document: document("acme/hello", "no") }));
    await expect(again).rejects.toMatchObject({ reason: "ETAG_MISMATCH" });
    expect((await stores.documents.find("app", "acme/hello"))?.body).toBe("{}");
    const audit = { org: "acme", action: "", resourceId: "", actor: "" };
    expect((await stores.audit.list(audit, { limit: 10 })).items).toHaveLength(4);
  });

  test("apps: a deleted one gives its domains up, and takes them back if it can", async () => {
    const hello = await createApp(stores, app("hello", { domains: ["a.test"] }));
    const next = (from: AppRow, more: Partial<AppRow>) => {
      const { deletedMs: _, ...rest } = from;
      const { revision, documentRevision } = from;
      const row = { ...rest, ...more, revision: revision + 1 };
      const expected = { revision, documentRevision };
      return stores.apps.change({ app: row, expected, versions: [] }, commit()).then(() => row);
    };
    const deleted = await next(hello, { deletedMs: 5 });
    const other = await createApp(stores, app("other", { domains: ["a.test"] }));
    await expect(next(deleted, {})).rejects.toMatchObject({ reason: "DOMAIN_TAKEN" });
    await next(other, { domains: [] });
    await next(deleted, {});
    expect((await stores.apps.find({ id: hello.id }))?.deletedMs).toBeUndefined();
  });

  test("apps.purge() erases deleted apps only", async () => {
    const hello = await createApp(stores, app("hello"));
    const kept = await createApp(stores, app("kept"));
    for (const { id: appId } of [hello, kept]) {
      await stores.versions.create(version(appId), commit());
      await stores.executions.insert([execution(appId, 1)]);
      await stores.logs.append({ boot: appId, batch: 1 }, [
        { kind: "gap", appId, count: 1, reason: "x", timeMs: 1 },
      ]);
    }
    await stores.apps.purge(hello.id, commit());
    const found = await stores.apps.find({ id: hello.id });
    expect(found?.latestVersion).toBe(1);
    const deleted = { ...hello, latestVersion: 1, revision: 2, deletedMs: 5 };
    const expected = { revision: 1, documentRevision: 1 };
    await stores.apps.change({ app: deleted, expected, versions: [] }, commit());
    expect(await stores.apps.listDeleted(5, 10)).toEqual([]);
    expect(await stores.apps.listDeleted(6, 10)).toEqual([deleted]);
    await stores.apps.purge(hello.id, commit());
    expect(await stores.apps.find({ id: hello.id })).toBeUndefined();
    expect(await stores.apps.getDraft(hello.id)).toBeUndefined();
    expect(await stores.versions.get(hello.id, 1)).toBeUndefined();
    expect(await stores.logs.bounds(hello.id)).toEqual({ first: 0, last: 0 });
    expect(await stores.logs.bounds(kept.id)).toEqual({ first: 1, last: 1 });
    expect(await stores.versions.get(kept.id, 1)).toBeDefined();
  });

  test("apps.changeDraft() replaces the draft that was read", async () => {
    const hello = await createApp(stores, app("hello"));
    const pushed = { ...draft(hello.id), codeJson: "{}", sourceDigest: digest("a"), revision: 2 };
    await stores.apps.changeDraft(pushed, commit());
    expect(await stores.apps.getDraft(hello.id)).toEqual(pushed);
    const stale = stores.apps.changeDraft(pushed, commit());
    await expect(stale).rejects.toMatchObject({ reason: "ETAG_MISMATCH" });
    const emptied = { ...draft(hello.id), revision: 3 };
    await stores.apps.changeDraft(emptied, commit());
    expect(await stores.apps.getDraft(hello.id)).toEqual(emptied);
  });

  test("blobOwners: who may read what, and what is still named", async () => {
    const [source, artifact, lost] = [digest("source"), digest("artifact"), digest("lost")];
    await stores.blobOwners.add("acme", source, 5, 1);
    await stores.blobOwners.add("acme", source, 5, 2);
    expect(await stores.blobOwners.has("acme", source)).toBe(true);
    expect(await stores.blobOwners.has("beta", source)).toBe(false);
    const hello = await createApp(stores, app("hello"));
    const pushed = { ...draft(hello.id), sourceDigest: source, revision: 2 };
    await stores.apps.changeDraft(pushed, commit());
    await stores.versions.create(version(hello.id, { artifactDigest: artifact }), commit());
    const texts = { codeJson: "{}", configJson: '{"a":"é"}', diagnosticsJson: "[]" };
    const before = await stores.blobOwners.bytesOf("acme");
    const other = version(hello.id, { number: 2, sizeBytes: 30, ...texts });
    await stores.versions.create(other, commit());
    expect(await stores.blobOwners.bytesOf("acme")).toBe(before + 30 + 2 + 10 + 2);
    expect(await stores.blobOwners.bytesOf("beta")).toBe(0);
    const referenced = await stores.blobOwners.referenced([source, artifact, lost]);
    expect(referenced).toEqual(new Set([source, artifact]));
    expect(await stores.blobOwners.referenced([])).toEqual(new Set());
    await stores.blobOwners.forget([source]);
    expect(await stores.blobOwners.has("acme", source)).toBe(false);
  });
});
