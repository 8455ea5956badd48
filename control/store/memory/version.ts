import { assert } from "../../../core/assert.ts";
import type { VersionRow, VersionStore } from "../../ports.ts";
import { etagMismatch } from "../failures.ts";
import { pageOf, parseNumberCursor } from "../page.ts";
import { versionsOf } from "./app.ts";
import { copyOf, type MemoryState } from "./state.ts";

/** Versions in memory. */
export function memoryVersionStore(state: MemoryState): VersionStore {
  const newestFirst = (appId: string) =>
    versionsOf(state, appId).toSorted((a, b) => b.number - a.number);
  return {
    async get(appId, number) {
      const found = versionsOf(state, appId).find((version) => version.number === number);
      return found && copyOf(found);
    },
    async getById(id) {
      const found = state.versions.get(id);
      return found && copyOf(found);
    },
    async list({ appId, states }, page) {
      const before = page.cursor === undefined ? Infinity : parseNumberCursor(page.cursor);
      const rows = newestFirst(appId)
        .filter(({ number }) => number < before)
        .filter((version) => states.length === 0 || states.includes(version.state));
      return pageOf(rows.map(copyOf), page, ({ number }) => String(number));
    },
    async findCompiled(appId, inputDigest) {
      const found = newestFirst(appId).find(
        (version) => isCompiled(version) && version.inputDigest === inputDigest,
      );
      return found && copyOf(found);
    },
    async listReachable(appId, limit, always) {
      const compiled = newestFirst(appId).filter(isCompiled);
      const reachable = compiled.filter(({ number }, at) => at < limit || always.includes(number));
      return reachable.map(copyOf);
    },
    async create(version, commit) {
      const app = state.apps.get(version.appId);
      assert(app !== undefined, "a version has an app");
      let created = version;
      await state.change(
        commit,
        () => true,
        () => {
          const stored = state.apps.get(version.appId) ?? app;
          stored.latestVersion += 1;
          const draft = state.drafts.get(version.appId);
          if (draft !== undefined) draft.lastVersion = stored.latestVersion;
          created = { ...copyOf(version), number: stored.latestVersion };
          state.versions.set(version.id, created);
        },
      );
      return copyOf(created);
    },
    finish(id, outcome, documentRevision, commit) {
      const check = () => {
        const found = state.versions.get(id);
        if (found?.state !== "compiling") return false;
        if (state.apps.get(found.appId)?.documentRevision !== documentRevision) {
          throw etagMismatch();
        }
        return true;
      };
      return state.change(commit, check, () => {
        const found = state.versions.get(id);
        const app = found && state.apps.get(found.appId);
        assert(found !== undefined && app !== undefined, "they were there when it was checked");
        Object.assign(found, copyOf(outcome));
        app.documentRevision += 1;
      });
    },
    async trim(appId, upTo, always, limit) {
      const oldest = versionsOf(state, appId)
        .filter(({ number }) => number <= upTo && !always.includes(number))
        .filter((version) => version.state !== "compiling" && version.state !== "active")
        .toSorted((a, b) => a.number - b.number)
        .slice(0, limit);
      for (const { id } of oldest) state.versions.delete(id);
      return oldest.length;
    },
    async failStale(beforeMs, failureJson, nowMs) {
      const stale = [...state.versions.values()].filter(
        (version) => version.state === "compiling" && version.createdMs < beforeMs,
      );
      for (const version of stale) {
        Object.assign(version, { state: "failed", failureJson, compiledMs: nowMs });
      }
      return stale.length;
    },
  };
}

function isCompiled({ state }: VersionRow): boolean {
  return state === "ready" || state === "active" || state === "superseded";
}
