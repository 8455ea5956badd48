/** All stores in memory: the twin of the database for tests, held to the same tests. */
import type {
  AuditStore,
  BlobOwnerStore,
  DocumentStore,
  IdempotencyStore,
  Stores,
} from "../../ports.ts";
import { pageOf, parseTimeCursor, timeCursor } from "../page.ts";
import { memoryAppStore } from "./app.ts";
import { memoryExecutionStore } from "./execution.ts";
import { memoryKeyStore } from "./key.ts";
import { memoryLogStore } from "./log.ts";
import { memoryOrganizationStore } from "./organization.ts";
import { byNewest, copyOf, idempotencyKeyOf, isAfter, MemoryState } from "./state.ts";
import { memoryVersionStore } from "./version.ts";

/** Makes stores that share their rows and forget them with the process. */
export function memoryStores(): Stores {
  const state = new MemoryState();
  return {
    organizations: memoryOrganizationStore(state),
    keys: memoryKeyStore(state),
    apps: memoryAppStore(state),
    versions: memoryVersionStore(state),
    documents: documentStore(state),
    executions: memoryExecutionStore(state),
    logs: memoryLogStore(state),
    audit: auditStore(state),
    idempotency: idempotencyStore(state),
    blobOwners: blobOwnerStore(state),
    async ping() {},
  };
}

function documentStore(state: MemoryState): DocumentStore {
  return {
    async list(after, limit) {
      return [...state.documents.values()]
        .filter(({ sequence }) => sequence > after)
        .toSorted((a, b) => a.sequence - b.sequence)
        .slice(0, limit)
        .map(copyOf);
    },
    async find(kind, key) {
      const found = state.documents.get(`${kind} ${key}`);
      return found && copyOf(found);
    },
  };
}

function auditStore(state: MemoryState): AuditStore {
  return {
    async list({ org, action, resourceId, actor, afterMs, beforeMs }, page) {
      const cursor = page.cursor === undefined ? undefined : parseTimeCursor(page.cursor);
      const wanted = Object.entries({ org, action, resourceId, actor }).filter(
        ([, value]) => value !== "",
      );
      const rows = state.audit
        .filter((row) => wanted.every(([name, value]) => Reflect.get(row, name) === value))
        .filter(({ timeMs }) => timeMs >= (afterMs ?? 0) && timeMs < (beforeMs ?? Infinity))
        .filter((row) => isAfter(row, cursor))
        .toSorted(byNewest(({ timeMs }) => timeMs));
      return pageOf(rows.map(copyOf), page, ({ timeMs, id }) => timeCursor(timeMs, id));
    },
    async prune(beforeMs, limit) {
      const old = state.audit
        .filter(({ timeMs }) => timeMs < beforeMs)
        .toSorted((a, b) => a.timeMs - b.timeMs)
        .slice(0, limit);
      const gone = new Set(old);
      state.audit = state.audit.filter((row) => !gone.has(row));
      return old.length;
    },
  };
}

function idempotencyStore(state: MemoryState): IdempotencyStore {
  return {
    async find(org, actor, key, nowMs) {
      const found = state.idempotency.get(idempotencyKeyOf({ org, actor, key }));
      return found !== undefined && found.expiresMs > nowMs ? copyOf(found) : undefined;
    },
    async prune(nowMs, limit) {
      const old = [...state.idempotency.values()]
        .filter(({ expiresMs }) => expiresMs <= nowMs)
        .toSorted((a, b) => a.expiresMs - b.expiresMs)
        .slice(0, limit);
      for (const row of old) state.idempotency.delete(idempotencyKeyOf(row));
      return old.length;
    },
  };
}

function blobOwnerStore(state: MemoryState): BlobOwnerStore {
  return {
    async add(org, digest, sizeBytes) {
      const key = `${org} ${digest}`;
      if (!state.blobOwners.has(key)) state.blobOwners.set(key, { org, digest, sizeBytes });
    },
    async bytesOf(org) {
      const apps = [...state.apps.values()].filter((app) => app.org === org);
      const ids = new Set(apps.map(({ id }) => id));
      const versions = [...state.versions.values()].filter(({ appId }) => ids.has(appId));
      const texts = versions.map(({ codeJson, configJson, diagnosticsJson }) => ({
        sizeBytes: new TextEncoder().encode(codeJson + configJson + diagnosticsJson).length,
      }));
      const blobs = [...state.blobOwners.values()].filter((blob) => blob.org === org);
      return [...versions, ...texts, ...blobs].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    },
    async has(org, digest) {
      return state.blobOwners.has(`${org} ${digest}`);
    },
    async referenced(digests) {
      const named = new Set([
        ...[...state.drafts.values()].map(({ sourceDigest }) => sourceDigest),
        ...[...state.versions.values()].flatMap((version) => [
          version.sourceDigest,
          version.artifactDigest,
        ]),
      ]);
      return new Set(digests.filter((digest) => named.has(digest)));
    },
    async forget(digests) {
      const gone = new Set<string>(digests);
      for (const [name, { digest }] of [...state.blobOwners]) {
        if (gone.has(digest)) state.blobOwners.delete(name);
      }
    },
  };
}
