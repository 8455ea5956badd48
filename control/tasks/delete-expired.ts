/** Erases what outlived its time: deleted apps, kept answers, old executions, logs and audit. */
import { auditTtlMs, deletedAppTtlMs, historyTtlMs } from "../../core/limits.ts";
import { platformCommit } from "../operations/commits.ts";
import type { Ports } from "../ports.ts";
import { drain, ROWS_PER_STEP, type Step } from "./drain.ts";

const APPS_PER_STEP = 10; // Each takes all its rows with it

/** Answers how many rows it erased, an app counting as one. */
export function deleteExpired(ports: Ports): Promise<number> {
  const { stores, clock } = ports;
  const nowMs = clock.nowMs();
  const rows = (run: Step["run"]): Step => ({ size: ROWS_PER_STEP, run });
  return drain(clock, [
    { size: APPS_PER_STEP, run: (limit) => purgeApps(ports, nowMs - deletedAppTtlMs, limit) },
    rows((limit) => stores.idempotency.prune(nowMs, limit)),
    rows((limit) => stores.executions.prune(nowMs - historyTtlMs, limit)),
    rows((limit) => stores.logs.prune(nowMs - historyTtlMs, limit)),
    rows((limit) => stores.audit.prune(nowMs - auditTtlMs, limit)),
  ]);
}

async function purgeApps(ports: Ports, beforeMs: number, limit: number): Promise<number> {
  const apps = await ports.stores.apps.listDeleted(beforeMs, limit);
  for (const { id, org, name } of apps) {
    const change = { action: "app.purge", resourceId: id, resourceName: `${org}/${name}` };
    await ports.stores.apps.purge(id, platformCommit(ports, org, change));
  }
  return apps.length;
}
