import type { AppRows } from "../../ports.ts";
import type { MemoryState } from "./state.ts";

/** The apps of organizations that have more than `rowsMax` rows; `rowIds` has an app id per row. */
export function crowdedApps(
  state: MemoryState,
  rowIds: readonly string[],
  rowsMax: number,
): AppRows[] {
  const counted = [...state.apps.values()].map(({ id: appId, org }) => {
    return { org, appId, rows: rowIds.filter((id) => id === appId).length };
  });
  const totalOf = (org: string) =>
    counted.filter((app) => app.org === org).reduce((sum, { rows }) => sum + rows, 0);
  return counted.filter(({ org, rows }) => rows > 0 && totalOf(org) > rowsMax);
}
