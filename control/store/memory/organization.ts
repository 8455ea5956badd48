import type { KeyRow, OrganizationRow, OrganizationStore } from "../../ports.ts";
import { etagMismatch, organizationExists } from "../failures.ts";
import { pageOf } from "../page.ts";
import { byText, copyOf, type MemoryState } from "./state.ts";

/** Organizations in memory. */
export function memoryOrganizationStore(state: MemoryState): OrganizationStore {
  const insert = (organization: OrganizationRow, owner: KeyRow) => () => {
    state.organizations.set(organization.name, copyOf(organization));
    state.keys.set(owner.id, copyOf(owner));
  };
  return {
    async find(name) {
      const found = state.organizations.get(name);
      return found && copyOf(found);
    },
    async list(page) {
      const rows = [...state.organizations.values()]
        .filter(({ name }) => name > (page.cursor ?? ""))
        .toSorted(byText(({ name }) => name));
      return pageOf(rows.map(copyOf), page, ({ name }) => name);
    },
    async create(organization, owner, commit) {
      const check = () => {
        if (state.organizations.has(organization.name)) throw organizationExists();
        return true;
      };
      await state.change(commit, check, insert(organization, owner));
    },
    createFirst(organization, owner, commit) {
      const isFirst = () => state.organizations.size === 0;
      return state.change(commit, isFirst, insert(organization, owner));
    },
    async update(organization, commit) {
      const check = () => expectRevision(state, organization.name, organization.revision - 1);
      await state.change(commit, check, () => {
        state.organizations.set(organization.name, copyOf(organization));
      });
    },
  };
}

/** Fails with ETAG_MISMATCH unless the organization has this revision. */
export function expectRevision(state: MemoryState, org: string, revision: number): true {
  if (state.organizations.get(org)?.revision !== revision) throw etagMismatch();
  return true;
}
