import type { LogItem, LogRow, LogStore } from "../../ports.ts";
import { readable } from "../text.ts";
import { crowdedApps } from "./crowded.ts";
import { copyOf, type MemoryState } from "./state.ts";

/** Logs in memory. */
export function memoryLogStore(state: MemoryState): LogStore {
  const rowsOf = (appId: string) => state.logs.get(appId) ?? [];
  const append = (item: LogItem) => {
    const rows = rowsOf(item.appId);
    state.logs.set(item.appId, rows);
    const last = rows.at(-1);
    const sequence = last === undefined ? 1 : last.sequence + positionsOf(last);
    rows.push({ ...cleaned(copyOf(item)), sequence });
  };
  const matching = (filter: Parameters<LogStore["newest"]>[0]) =>
    rowsOf(filter.appId).filter(
      (row) =>
        filter.executionId === undefined ||
        (row.kind === "line" && row.executionId === filter.executionId),
    );
  return {
    async append({ boot, batch }, items) {
      const name = `${boot} ${batch}`;
      if (state.logBatches.has(name)) return;
      state.logBatches.add(name);
      for (const item of items) append(item);
    },
    async list(filter, limit) {
      const rows = matching(filter).filter(({ sequence }) => sequence > filter.after);
      return rows.slice(0, limit).map(copyOf);
    },
    async newest(filter, count) {
      return matching(filter).slice(-count).map(copyOf);
    },
    async bounds(appId) {
      const rows = rowsOf(appId);
      return { first: rows[0]?.sequence ?? 0, last: rows.at(-1)?.sequence ?? 0 };
    },
    async prune(beforeMs, limit) {
      const old = [...state.logs.values()]
        .flatMap((rows) => rows.slice(0, -1))
        .filter(({ timeMs }) => timeMs < beforeMs)
        .toSorted((a, b) => a.timeMs - b.timeMs)
        .slice(0, limit);
      const gone = new Set<LogRow>(old);
      for (const [appId, rows] of state.logs) {
        state.logs.set(
          appId,
          rows.filter((row) => !gone.has(row)),
        );
      }
      return old.length;
    },
    async crowded(rowsMax) {
      const rowIds = [...state.logs].flatMap(([appId, rows]) => rows.map(() => appId));
      return crowdedApps(state, rowIds, rowsMax);
    },
    async trim(appId, limit) {
      const rows = rowsOf(appId);
      const count = Math.max(0, Math.min(limit, rows.length - 1));
      state.logs.set(appId, rows.slice(count));
      return count;
    },
  };
}

function positionsOf(row: LogRow): number {
  return row.kind === "gap" ? row.count : 1;
}

function cleaned(item: LogItem): LogItem {
  if (item.kind === "gap") return item;
  const { message, stack, ...rest } = item;
  return {
    ...rest,
    message: readable(message),
    ...(stack !== undefined && { stack: readable(stack) }),
  };
}
