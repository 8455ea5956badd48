/** Every implementation of the control plane's stores, and rows to put into them. */
import { createHash } from "node:crypto";
import type { SignedDocument } from "../../core/deployment.ts";
import type { AppId, Digest, Id } from "../../core/ids.ts";
import type {
  AppRow,
  Commit,
  DraftRow,
  ExecutionRow,
  KeyRow,
  OrganizationRow,
  Stores,
  VersionRow,
} from "../../control/ports.ts";
import { memoryStores } from "../../control/store/memory/stores.ts";
import { databaseStores } from "../../control/store/stores.ts";
import { startTemporaryStore } from "../../region/store/temporary-store.ts";

/** Stores for one test, and how to end them. */
export interface OpenedStores {
  stores: Stores;
  close(): Promise<void>;
}

/** The ways to open empty stores, by name. All must pass the same tests. */
export const storeImplementations: [string, () => Promise<OpenedStores>][] = [
  [
    "database",
    async () => {
      const { clientFetch, close } = await startTemporaryStore();
      const options = { url: "http://store", authToken: "secret", fetch: clientFetch };
      return { stores: databaseStores(options), close };
    },
  ],
  ["memory", async () => ({ stores: memoryStores(), close: async () => {} })],
];

let counter = 0;
/** A new id; later ones sort after earlier ones. */
export function id<Kind extends string>(prefix: string): Id<Kind> {
  counter += 1;
  return `${prefix}_${String(counter).padStart(26, "0")}` as Id<Kind>;
}
/** The SHA-256 of a text. */
export const digest = (text: string) => createHash("sha256").update(text).digest("hex") as Digest;

/** What is written along with a change: an audit row, and whatever else is given. */
export function commit(more: Partial<Commit> = {}): Commit {
  const audit = {
    id: id<"audit">("aud"),
    timeMs: 1_000 + counter,
    org: "acme",
    actor: "key_a",
    action: "test.change",
    resourceId: "res",
    resourceName: "acme/res",
    requestId: "req",
    attributes: { why: "test" },
  };
  return { audit, ...more };
}

/** A row to insert. */
export const organization = (name: string): OrganizationRow => ({
  id: id("org"),
  name,
  displayName: name.toUpperCase(),
  isolation: "org",
  quotaJson: "{}",
  revision: 1,
  createdMs: 1,
  updatedMs: 1,
});

/** A row to insert. */
export const key = (org: string, more: Partial<KeyRow> = {}): KeyRow => {
  const keyId = id<"key">("key");
  return {
    id: keyId,
    org,
    name: "ci",
    role: "owner",
    apps: ["hello"],
    prefix: "igk_abc",
    sha256: digest(keyId),
    operator: true,
    createdMs: 10,
    ...more,
  };
};

/** A row to insert, of the organization acme. */
export const app = (name: string, more: Partial<AppRow> = {}): AppRow => ({
  id: id("app"),
  org: "acme",
  name,
  description: "",
  domains: [],
  traffic: [],
  sticky: "none",
  latestVersion: 0,
  revision: 1,
  documentRevision: 1,
  createdMs: 1,
  updatedMs: 1,
  ...more,
});

/** The empty draft of a new app. */
export const draft = (appId: AppId): DraftRow => ({
  appId,
  configJson: "{}",
  revision: 1,
  updatedMs: 1,
  lastVersion: 0,
});

/** A row to insert. */
export const version = (appId: AppId, more: Partial<VersionRow> = {}): VersionRow => ({
  id: id("ver"),
  appId,
  number: 0,
  state: "compiling",
  codeJson: "{}",
  configJson: "{}",
  inputDigest: "input",
  sizeBytes: 0,
  assetCount: 0,
  moduleCount: 0,
  message: "",
  diagnosticsJson: "[]",
  createdMs: 1,
  createdBy: "key_a",
  ...more,
});

/** A row to insert. */
export const execution = (appId: AppId, startedMs: number, more: Partial<ExecutionRow> = {}) => ({
  id: id<"execution">("exe"),
  appId,
  version: 1,
  status: "succeeded" as const,
  method: "GET",
  path: "/",
  responseStatus: 200,
  startedMs,
  durationMs: 5,
  cold: false,
  ...more,
});

/** A document that notes which sequence it was signed for. */
export const document =
  (documentKey: string, body = "{}") =>
  async (sequence: number): Promise<SignedDocument> => ({
    kind: "app",
    key: documentKey,
    sequence,
    body,
    signature: `signed ${sequence}`,
  });

/** Reads a whole list, page by page. */
export async function pagesOf<Row>(
  list: (page: { limit: number; cursor?: string }) => Promise<{
    items: readonly Row[];
    next?: string | undefined;
  }>,
  limit: number,
): Promise<Row[][]> {
  const pages: Row[][] = [];
  let cursor: string | undefined;
  do {
    const page = await list({ limit, ...(cursor !== undefined && { cursor }) });
    pages.push([...page.items]);
    cursor = page.next;
  } while (cursor !== undefined);
  return pages;
}

/** Inserts an app with its draft. */
export async function createApp(stores: Stores, row: AppRow): Promise<AppRow> {
  await stores.apps.create(row, draft(row.id), commit());
  return row;
}
