import { createClient } from "@libsql/client/web";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AppId, Digest, ExecutionId, KeyId, VersionId } from "../../core/ids.ts";
import { startTemporaryStore, type TemporaryStore } from "../../region/store/temporary-store.ts";
import {
  app,
  commit,
  createApp,
  document,
  draft,
  key,
  organization,
  version,
} from "../../test/harness/stores.ts";
import type { Stores } from "../ports.ts";
import { databaseStores } from "../store/stores.ts";

let store: TemporaryStore;
let stores: Stores;
let sent = new Set<string>();

beforeAll(async () => {
  store = await startTemporaryStore();
  const fetch = async (request: Request) => {
    for (const sql of statementsOf(await request.clone().json())) sent.add(sql);
    return store.clientFetch(request);
  };
  stores = databaseStores({ url: "http://store", authToken: "secret", fetch });
});
afterAll(() => store.close());

const page = { limit: 10, cursor: "5.a" };
const appId = "app_1" as AppId;

/** One call of each method, with everything given that adds a condition. */
const calls: Record<string, (stores: Stores) => Promise<unknown>> = {
  "organizations.find": (it) => it.organizations.find("acme"),
  "organizations.list": (it) => it.organizations.list(page),
  "organizations.createFirst": (it) =>
    it.organizations.createFirst(organization("acme"), key("acme"), commit()),
  "organizations.update": (it) =>
    it.organizations.update({ ...organization("acme"), revision: 2 }, commit()),
  "keys.findBySha256": (it) => it.keys.findBySha256("a"),
  "keys.get": (it) => it.keys.get("key_1" as KeyId),
  "keys.list": (it) => it.keys.list({ org: "acme", includeDead: false, nowMs: 1 }, page),
  "keys.listLive": (it) => it.keys.listLive("acme", 1),
  "keys.create": (it) => it.keys.create(key("acme"), 2, commit()),
  "keys.touch": (it) => it.keys.touch("key_1" as KeyId, 1),
  "apps.find by id": (it) => it.apps.find({ id: appId }),
  "apps.find by name": (it) => it.apps.find({ org: "acme", name: "hello" }),
  "apps.idsOf": (it) => it.apps.idsOf(["acme/hello", "acme/other"]),
  "apps.list": (it) => it.apps.list({ org: "acme", includeDeleted: false, names: ["a"] }, page),
  "apps.count": (it) => it.apps.count("acme"),
  "apps.create": (it) => createApp(it, app("hello", { domains: ["a.test"] })),
  "apps.change": async (it) => {
    const row = await createApp(it, app("other"));
    const expected = { revision: 1, documentRevision: 1 };
    const versions = [{ number: 1, state: "active" as const }];
    const change = { app: { ...row, revision: 2 }, expected, versions };
    await it.apps.change(change, commit({ document: document("acme/other") }));
  },
  "apps.listDeleted": (it) => it.apps.listDeleted(1, 10),
  "apps.purge": (it) => it.apps.purge(appId, commit()),
  "apps.getDraft": (it) => it.apps.getDraft(appId),
  "apps.changeDraft": (it) => it.apps.changeDraft(draft(appId), commit()).catch(() => {}),
  "versions.get": (it) => it.versions.get(appId, 1),
  "versions.getById": (it) => it.versions.getById("ver_1" as VersionId),
  "versions.list": (it) =>
    it.versions.list({ appId, states: ["ready"] }, { limit: 10, cursor: "5" }),
  "versions.findCompiled": (it) => it.versions.findCompiled(appId, "input"),
  "versions.listReachable": (it) => it.versions.listReachable(appId, 10, [1, 2]),
  "versions.create": async (it) => {
    const row = await createApp(it, app("third"));
    const created = await it.versions.create(version(row.id), commit());
    const outcome = { state: "ready" as const, sizeBytes: 1, assetCount: 1, moduleCount: 1 };
    const rest = { diagnosticsJson: "[]", compiledMs: 1 };
    await it.versions.finish(created.id, { ...outcome, ...rest }, 1, commit());
  },
  "versions.trim": (it) => it.versions.trim(appId, 5, [1], 10),
  "versions.failStale": (it) => it.versions.failStale(1, "{}", 1),
  "documents.list": (it) => it.documents.list(1, 10),
  "documents.find": (it) => it.documents.find("app", "acme/hello"),
  "executions.get": (it) => it.executions.get("exe_1" as ExecutionId),
  "executions.list": (it) => it.executions.list({ appId, statuses: ["failed"], version: 0 }, page),
  "executions.list of a version": (it) =>
    it.executions.list({ appId, statuses: [], version: 1 }, page),
  "executions.prune": (it) => it.executions.prune(1, 10),
  "executions.crowded": (it) => it.executions.crowded(1),
  "executions.trim": (it) => it.executions.trim(appId, 10),
  "logs.append": (it) =>
    it.logs.append({ boot: "b", batch: 1 }, [
      { kind: "gap", appId, count: 1, reason: "", timeMs: 1 },
    ]),
  "logs.list": (it) => it.logs.list({ appId, after: 1 }, 10),
  "logs.list of an execution": (it) => it.logs.list({ appId, executionId: "e", after: 1 }, 10),
  "logs.newest": (it) => it.logs.newest({ appId, executionId: "e" }, 10),
  "logs.bounds": (it) => it.logs.bounds(appId),
  "logs.prune": (it) => it.logs.prune(1, 10),
  "logs.crowded": (it) => it.logs.crowded(1),
  "logs.trim": (it) => it.logs.trim(appId, 10),
  "audit.prune": (it) => it.audit.prune(1, 10),
  "audit.list": (it) => it.audit.list({ org: "", action: "", resourceId: "", actor: "" }, page),
  "audit.list of an organization": (it) =>
    it.audit.list({ org: "a", action: "a", resourceId: "", actor: "", afterMs: 1 }, page),
  "audit.list of a resource": (it) =>
    it.audit.list({ org: "", action: "", resourceId: "r", actor: "" }, page),
  "idempotency.find": (it) => it.idempotency.find("a", "b", "c", 1),
  "idempotency.prune": (it) => it.idempotency.prune(1, 10),
  "blobOwners.add": (it) => it.blobOwners.add("acme", "d" as Digest, 1, 1),
  "blobOwners.has": (it) => it.blobOwners.has("acme", "d" as Digest),
  "blobOwners.bytesOf": (it) => it.blobOwners.bytesOf("acme"),
  "blobOwners.referenced": (it) => it.blobOwners.referenced(["d" as Digest]),
  "blobOwners.forget": (it) => it.blobOwners.forget(["d" as Digest]),
};

/** What sorts few rows by nature: the live keys of one organization, the apps with a history. */
const SORTS = new Set(["keys.listLive", "executions.crowded", "logs.crowded"]);

test.each(Object.entries(calls))("%s reads by an index", async (name, call) => {
  sent = new Set();
  await call(stores);
  const client = createClient({
    url: "http://store",
    authToken: "secret",
    fetch: store.clientFetch,
  });
  expect(sent.size).toBeGreaterThan(0);
  for (const sql of [...sent].filter((it) => !/^(begin|commit|rollback)/i.test(it))) {
    const args = new Array((sql.match(/\?/g) ?? []).length).fill(null);
    const { rows } = await client.execute({ sql: `EXPLAIN QUERY PLAN ${sql}`, args });
    for (const detail of rows.map((row) => String(row["detail"]))) {
      expect(isGood(detail, SORTS.has(name)), `${detail}\n${sql}`).toBe(true);
    }
  }
});

function isGood(detail: string, maySort: boolean): boolean {
  if (detail.startsWith("USE TEMP B-TREE")) return maySort;
  if (!detail.startsWith("SCAN")) return true;
  if (maySort && /^SCAN (of_app|of_org|\(subquery)/.test(detail)) return true; // Results of its own
  return / USING (COVERING )?INDEX /.test(detail) || /CONSTANT ROW|VIRTUAL TABLE/.test(detail);
}

/** The SQL texts of a pipeline, stored ones included. */
function statementsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(statementsOf);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === "sql" ? [String(inner)] : statementsOf(inner),
  );
}
