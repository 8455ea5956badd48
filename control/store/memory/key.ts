import type { KeyRow, KeyStore } from "../../ports.ts";
import { pageOf, parseTimeCursor, timeCursor } from "../page.ts";
import { expectRevision } from "./organization.ts";
import { byNewest, byText, copyOf, isAfter, type MemoryState } from "./state.ts";

/** API keys in memory. */
export function memoryKeyStore(state: MemoryState): KeyStore {
  const raiseRevision = (org: string, nowMs: number) => {
    const found = state.organizations.get(org);
    if (found === undefined) return;
    found.revision += 1;
    found.updatedMs = nowMs;
  };
  return {
    async findBySha256(sha256) {
      const found = [...state.keys.values()].find((key) => key.sha256 === sha256);
      return found && copyOf(found);
    },
    async get(id) {
      const found = state.keys.get(id);
      return found && copyOf(found);
    },
    async list({ org, includeDead, nowMs }, page) {
      const cursor = page.cursor === undefined ? undefined : parseTimeCursor(page.cursor);
      const rows = [...state.keys.values()]
        .filter((key) => key.org === org && (includeDead || isLive(key, nowMs)))
        .filter(({ createdMs, id }) => isAfter({ timeMs: createdMs, id }, cursor))
        .toSorted(byNewest(({ createdMs }) => createdMs));
      return pageOf(rows.map(copyOf), page, ({ createdMs, id }) => timeCursor(createdMs, id));
    },
    async listLive(org, nowMs) {
      return [...state.keys.values()]
        .filter((key) => key.org === org && isLive(key, nowMs))
        .toSorted(byText(({ id }) => id))
        .map(copyOf);
    },
    async create(key, orgRevision, commit) {
      const check = () => expectRevision(state, key.org, orgRevision);
      await state.change(commit, check, () => {
        raiseRevision(key.org, commit.audit.timeMs);
        state.keys.set(key.id, copyOf(key));
      });
    },
    async revoke(key, revokedMs, orgRevision, commit) {
      const check = () => expectRevision(state, key.org, orgRevision);
      await state.change(commit, check, () => {
        raiseRevision(key.org, commit.audit.timeMs);
        const found = state.keys.get(key.id);
        if (found !== undefined) found.revokedMs = revokedMs;
      });
    },
    async touch(id, usedMs) {
      const found = state.keys.get(id);
      if (found !== undefined) found.lastUsedMs = usedMs;
    },
  };
}

function isLive({ revokedMs, expiresMs }: KeyRow, nowMs: number): boolean {
  return revokedMs === undefined && (expiresMs === undefined || expiresMs > nowMs);
}
