import type { ExecutionStore } from "../../ports.ts";
import { pageOf, parseTimeCursor, timeCursor } from "../page.ts";
import { readable } from "../text.ts";
import { crowdedApps } from "./crowded.ts";
import { byNewest, copyOf, isAfter, type MemoryState } from "./state.ts";

/** Executions in memory. */
export function memoryExecutionStore(state: MemoryState): ExecutionStore {
  return {
    async insert(rows) {
      let inserted = 0;
      for (const row of rows) {
        if (state.executions.has(row.id)) continue;
        state.executions.set(row.id, { ...copyOf(row), path: readable(row.path) });
        inserted += 1;
      }
      return inserted;
    },
    async get(id) {
      const found = state.executions.get(id);
      return found && copyOf(found);
    },
    async list({ appId, statuses, version }, page) {
      const cursor = page.cursor === undefined ? undefined : parseTimeCursor(page.cursor);
      const rows = [...state.executions.values()]
        .filter((row) => row.appId === appId && (version === 0 || row.version === version))
        .filter(({ status }) => statuses.length === 0 || statuses.includes(status))
        .filter(({ startedMs, id }) => isAfter({ timeMs: startedMs, id }, cursor))
        .toSorted(byNewest(({ startedMs }) => startedMs));
      return pageOf(rows.map(copyOf), page, ({ startedMs, id }) => timeCursor(startedMs, id));
    },
    async prune(beforeMs, limit) {
      const old = [...state.executions.values()]
        .filter(({ startedMs }) => startedMs < beforeMs)
        .toSorted((a, b) => a.startedMs - b.startedMs)
        .slice(0, limit);
      for (const { id } of old) state.executions.delete(id);
      return old.length;
    },
    async crowded(rowsMax) {
      const rowIds = [...state.executions.values()].map(({ appId }) => appId);
      return crowdedApps(state, rowIds, rowsMax);
    },
    async trim(appId, limit) {
      const old = [...state.executions.values()]
        .filter((row) => row.appId === appId)
        .toSorted(byNewest(({ startedMs }) => startedMs))
        .toReversed()
        .slice(0, limit);
      for (const { id } of old) state.executions.delete(id);
      return old.length;
    },
  };
}
