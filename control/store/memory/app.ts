import type { AppRow, AppStore } from "../../ports.ts";
import { appExists, domainTaken, etagMismatch } from "../failures.ts";
import { pageOf } from "../page.ts";
import { byText, copyOf, type MemoryState } from "./state.ts";

/** Apps and drafts in memory. */
export function memoryAppStore(state: MemoryState): AppStore {
  const rows = () => [...state.apps.values()];
  return {
    async find(query) {
      const found =
        "id" in query
          ? state.apps.get(query.id)
          : rows().find(({ org, name }) => org === query.org && name === query.name);
      return found && copyOf(found);
    },
    async idsOf(fullNames) {
      const named = rows().map(({ org, name, id }) => [`${org}/${name}`, id] as const);
      return new Map(named.filter(([fullName]) => fullNames.includes(fullName)));
    },
    async list({ org, includeDeleted, names }, page) {
      const found = rows()
        .filter((app) => app.org === org && app.name > (page.cursor ?? ""))
        .filter(({ deletedMs }) => includeDeleted || deletedMs === undefined)
        .filter(({ name }) => names.length === 0 || names.includes(name))
        .toSorted(byText(({ name }) => name));
      return pageOf(found.map(copyOf), page, ({ name }) => name);
    },
    async count(org) {
      const ofOrg = rows().filter((app) => app.org === org);
      const deleted = ofOrg.filter(({ deletedMs }) => deletedMs !== undefined).length;
      return { live: ofOrg.length - deleted, deleted };
    },
    async create(app, draft, commit) {
      const check = () => {
        if (rows().some(({ org, name }) => org === app.org && name === app.name)) throw appExists();
        checkDomains(state, app);
        return true;
      };
      await state.change(commit, check, () => {
        state.apps.set(app.id, copyOf(app));
        state.drafts.set(app.id, copyOf(draft));
      });
    },
    async change({ app, expected, versions }, commit) {
      const check = () => {
        const { revision, documentRevision } = state.apps.get(app.id) ?? {};
        const isExpected =
          revision === expected.revision && documentRevision === expected.documentRevision;
        if (!isExpected) throw etagMismatch();
        checkDomains(state, app);
        return true;
      };
      await state.change(commit, check, () => {
        state.apps.set(app.id, copyOf(app));
        for (const changed of versions) {
          for (const version of versionsOf(state, app.id)) {
            if (version.number === changed.number) Object.assign(version, copyOf(changed));
          }
        }
      });
    },
    async listDeleted(beforeMs, limit) {
      return rows()
        .filter(({ deletedMs }) => deletedMs !== undefined && deletedMs < beforeMs)
        .toSorted((a, b) => (a.deletedMs ?? 0) - (b.deletedMs ?? 0))
        .slice(0, limit)
        .map(copyOf);
    },
    async purge(id, commit) {
      const isDeleted = () => state.apps.get(id)?.deletedMs !== undefined;
      await state.change(commit, isDeleted, () => {
        state.apps.delete(id);
        state.drafts.delete(id);
        state.logs.delete(id);
        for (const version of versionsOf(state, id)) state.versions.delete(version.id);
        for (const { id: execution, appId } of [...state.executions.values()]) {
          if (appId === id) state.executions.delete(execution);
        }
      });
    },
    async getDraft(appId) {
      const found = state.drafts.get(appId);
      return found && copyOf(found);
    },
    async changeDraft(draft, commit) {
      const check = () => {
        if (state.drafts.get(draft.appId)?.revision === draft.revision - 1) return true;
        throw etagMismatch();
      };
      await state.change(commit, check, () => {
        state.drafts.set(draft.appId, copyOf(draft));
      });
    },
  };
}

/** The versions of an app, in no order. */
export function versionsOf(state: MemoryState, appId: string) {
  return [...state.versions.values()].filter((version) => version.appId === appId);
}

function checkDomains(state: MemoryState, app: AppRow): void {
  if (app.deletedMs !== undefined) return;
  const others = [...state.apps.values()].filter(
    ({ id, deletedMs }) => id !== app.id && deletedMs === undefined,
  );
  const taken = new Set(others.flatMap(({ domains }) => domains));
  if (app.domains.some((domain) => taken.has(domain))) throw domainTaken();
}
