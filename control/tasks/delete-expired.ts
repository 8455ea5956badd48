/** Erases what outlived its time: deleted apps, kept answers, old executions, logs and audit. */
import { auditTtlMs, deletedAppTtlMs, historyTtlMs } from "../../core/limits.ts";
import { platformCommit } from "../operations/commits.ts";
import type { Ports } from "../ports.ts";

const APPS_MAX = 100; // A run ends; the next one goes on
const ROWS_MAX = 10_000;

/** Answers how many rows it erased, an app counting as one. */
export async function deleteExpired(ports: Ports): Promise<number> {
  const { stores, clock } = ports;
  const nowMs = clock.nowMs();
  const apps = await stores.apps.listDeleted(nowMs - deletedAppTtlMs, APPS_MAX);
  for (const { id, org, name } of apps) {
    const change = { action: "app.purge", resourceId: id, resourceName: `${org}/${name}` };
    await stores.apps.purge(id, platformCommit(ports, org, change));
  }
  const answers = await stores.idempotency.prune(nowMs, ROWS_MAX);
  const executions = await stores.executions.prune(nowMs - historyTtlMs, ROWS_MAX);
  const lines = await stores.logs.prune(nowMs - historyTtlMs, ROWS_MAX);
  const trail = await stores.audit.prune(nowMs - auditTtlMs, ROWS_MAX);
  return apps.length + answers + executions + lines + trail;
}
