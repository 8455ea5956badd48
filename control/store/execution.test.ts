import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ExecutionId } from "../../core/ids.ts";
import {
  commit,
  execution,
  id,
  key,
  organization,
  type OpenedStores,
  pagesOf,
  storeImplementations,
} from "../../test/harness/stores.ts";
import type { LogItem, Stores } from "../ports.ts";

describe.each(storeImplementations)("stores in %s", (_, open) => {
  let stores: Stores;
  let opened: OpenedStores;
  beforeEach(async () => {
    opened = await open();
    stores = opened.stores;
    await stores.organizations.create(organization("acme"), key("acme"), commit());
  });
  afterEach(() => opened.close());

  test("executions: insert() once, list() newest first, prune()", async () => {
    const appId = id<"app">("app");
    const rows = [
      execution(appId, 30),
      execution(appId, 10, { status: "failed", reason: "GUEST_ERROR", path: "/a\0b" }),
      execution(appId, 20, { version: 2 }),
      execution(appId, 20, { cold: true }),
    ];
    expect(await stores.executions.insert(rows)).toBe(4);
    expect(await stores.executions.insert([...rows, execution(appId, 5)])).toBe(1);
    expect(await stores.executions.insert([])).toBe(0);
    const failed = rows[1];
    expect(failed && (await stores.executions.get(failed.id))).toEqual({ ...failed, path: "/a␀b" });
    expect(await stores.executions.get("exe_none" as ExecutionId)).toBeUndefined();
    const all = { appId, statuses: [], version: 0 };
    const pages = await pagesOf((page) => stores.executions.list(all, page), 2);
    expect(pages.map((page) => page.map(({ startedMs }) => startedMs))).toEqual([
      [30, 20],
      [20, 10],
      [5],
    ]);
    const some = async (filter: Partial<Parameters<Stores["executions"]["list"]>[0]>) =>
      (await stores.executions.list({ ...all, ...filter }, { limit: 9 })).items.length;
    expect(await some({ statuses: ["failed"] })).toBe(1);
    expect(await some({ version: 2 })).toBe(1);
    expect([await stores.executions.prune(21, 1), await stores.executions.prune(21, 9)]).toEqual([
      1, 3,
    ]);
  });

  test("logs: positions without holes, each batch once, newest(), bounds(), prune()", async () => {
    const appId = id<"app">("app");
    const line = (message: string, timeMs: number, executionId?: string): LogItem => ({
      kind: "line",
      appId,
      version: 1,
      timeMs,
      level: "info",
      message,
      ...(executionId !== undefined && { executionId }),
    });
    const gap: LogItem = { kind: "gap", appId, count: 5, reason: "too many", timeMs: 2 };
    await stores.logs.append({ boot: "b", batch: 1 }, [line("one\0", 1, "exe_1"), gap]);
    await stores.logs.append({ boot: "b", batch: 1 }, [line("again", 1)]);
    await stores.logs.append({ boot: "b", batch: 2 }, [line("two", 3), line("three", 4, "exe_1")]);
    const all = await stores.logs.list({ appId, after: 0 }, 10);
    expect(all).toEqual([
      { ...line("one␀", 1, "exe_1"), sequence: 1 },
      { ...gap, sequence: 2 },
      { ...line("two", 3), sequence: 7 },
      { ...line("three", 4, "exe_1"), sequence: 8 },
    ]);
    expect(await stores.logs.list({ appId, after: 2 }, 1)).toEqual(all.slice(2, 3));
    expect(await stores.logs.list({ appId, executionId: "exe_1", after: 1 }, 9)).toEqual(
      all.slice(3),
    );
    expect(await stores.logs.newest({ appId }, 2)).toEqual(all.slice(2));
    expect(await stores.logs.newest({ appId, executionId: "exe_1" }, 1)).toEqual(all.slice(3));
    expect(await stores.logs.bounds(appId)).toEqual({ first: 1, last: 8 });
    expect([await stores.logs.prune(100, 1), await stores.logs.prune(100, 9)]).toEqual([1, 2]);
    expect(await stores.logs.bounds(appId)).toEqual({ first: 8, last: 8 });
    await stores.logs.append({ boot: "b", batch: 3 }, [line("four", 5)]);
    expect((await stores.logs.bounds(appId)).last).toBe(9);
  });
});
