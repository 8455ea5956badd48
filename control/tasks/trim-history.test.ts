import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  app,
  commit,
  createApp,
  execution,
  key,
  organization,
  type OpenedStores,
  storeImplementations,
} from "../../test/harness/stores.ts";
import type { AppId } from "../../core/ids.ts";
import type { LogItem, Ports, Stores } from "../ports.ts";
import { testControl } from "../testing/control.ts";
import { trimHistory } from "./trim-history.ts";

describe.each(storeImplementations)("trimHistory() with stores in %s", (_, open) => {
  let opened: OpenedStores;
  let stores: Stores;
  let ports: Ports;
  let batch = 0;
  beforeEach(async () => {
    opened = await open();
    ({ stores } = opened);
    ports = { ...(await testControl()).ports, stores };
    for (const org of ["acme", "calm"]) {
      await stores.organizations.create(organization(org), key(org), commit());
    }
  });
  afterEach(() => opened.close());

  const appIn = async (org: string, name: string) =>
    (await createApp(stores, app(name, { org }))).id;
  const insert = (appId: AppId, times: readonly number[]) =>
    stores.executions.insert(times.map((startedMs) => execution(appId, startedMs)));
  const timesOf = async (appId: AppId) => {
    const { items } = await stores.executions.list(
      { appId, statuses: [], version: 0 },
      { limit: 99 },
    );
    return items.map(({ startedMs }) => startedMs);
  };
  const write = (appId: AppId, count: number) => {
    batch += 1;
    const line = { kind: "line", appId, version: 1, level: "info", message: "m" } as const;
    const lines = Array.from({ length: count }, (_, at): LogItem => ({ ...line, timeMs: at }));
    return stores.logs.append({ boot: "b", batch }, lines);
  };
  const positionsOf = async (appId: AppId) =>
    (await stores.logs.list({ appId, after: 0 }, 99)).map(({ sequence }) => sequence);

  test("deletes the oldest of the app that has most, of organizations that have too many", async () => {
    const [noisy, quiet, other] = [
      await appIn("acme", "noisy"),
      await appIn("acme", "quiet"),
      await appIn("calm", "other"),
    ];
    await insert(noisy, [5, 3, 9, 1, 7]);
    await insert(quiet, [2, 4]);
    await insert(other, [1, 2, 3, 4, 5]);
    const bounds = { executionRowsMax: 5, logRowsMax: 5 };
    expect(await trimHistory(ports, bounds)).toBe(2);
    expect([await timesOf(noisy), await timesOf(quiet)]).toEqual([
      [9, 7, 5],
      [4, 2],
    ]);
    expect(await timesOf(other)).toHaveLength(5);
    expect(await trimHistory(ports, bounds)).toBe(0);
  });

  test("deletes from several apps when one has not enough", async () => {
    const ids = await Promise.all(["a", "b", "c"].map((name) => appIn("acme", name)));
    for (const appId of ids) await insert(appId, [1, 2, 3]);
    expect(await trimHistory(ports, { executionRowsMax: 2, logRowsMax: 5 })).toBe(7);
    const left = await Promise.all(ids.map(timesOf));
    expect(left.flat()).toHaveLength(2);
  });

  test("keeps the newest entry of each log, and its positions", async () => {
    const [noisy, quiet] = [await appIn("acme", "noisy"), await appIn("acme", "quiet")];
    await write(noisy, 5);
    await write(quiet, 1);
    expect(await trimHistory(ports, { executionRowsMax: 5, logRowsMax: 4 })).toBe(2);
    expect([await positionsOf(noisy), await positionsOf(quiet)]).toEqual([[3, 4, 5], [1]]);
    expect(await trimHistory(ports, { executionRowsMax: 5, logRowsMax: 0 })).toBe(2);
    expect([await positionsOf(noisy), await positionsOf(quiet)]).toEqual([[5], [1]]);
    await write(noisy, 1);
    expect(await positionsOf(noisy)).toEqual([5, 6]);
  });
});
