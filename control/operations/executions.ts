/**
 * Executions of synchronous invocations. The edge reports them when they have ended, so one that
 * can be read has ended, and cancelling it changes nothing.
 */
import type { ExecutionRecord } from "../../core/deployment.ts";
import type { ExecutionId } from "../../core/ids.ts";
import type { CallContext } from "../context.ts";
import type { AppRow, ExecutionRow, Ports } from "../ports.ts";
import { type AppReference, findAnyApp, getApp } from "./apps.ts";
import { notFound } from "./failures.ts";
import { type PageRequest, readPage, type TokenPage } from "./pages.ts";

/** An execution with its app. */
export interface ExecutionOfApp {
  app: AppRow;
  execution: ExecutionRow;
}

const EXECUTION_ID = /^exe_[0-9A-Za-z_-]{1,60}$/;

/** Reads an execution. Fails with NOT_FOUND, also for one of an app the caller may not see. */
export async function getExecution(
  context: CallContext,
  ports: Ports,
  id: string,
): Promise<ExecutionOfApp> {
  const missing = () =>
    notFound(`execution "${id}"`, "Executions appear shortly after they have ended.");
  const execution = await ports.stores.executions.get(id as ExecutionId);
  if (execution === undefined) throw missing();
  const app = await findAnyApp(context, ports, { id: execution.appId }).catch(() => undefined);
  if (app === undefined) throw missing();
  return { app, execution };
}

/** Lists executions of an app, newest first; no statuses and version 0 mean all. */
export async function listExecutions(
  context: CallContext,
  ports: Ports,
  request: PageRequest & {
    app: AppReference;
    statuses: readonly ExecutionRow["status"][];
    version: number;
  },
): Promise<TokenPage<ExecutionRow> & { app: AppRow }> {
  const app = await getApp(context, ports, request.app);
  const filter = { appId: app.id, statuses: request.statuses, version: request.version };
  const page = await readPage(ports, ["executions", filter], request, (part) =>
    ports.stores.executions.list(filter, part),
  );
  return { ...page, app };
}

/**
 * Keeps what an edge reports. Repeats change nothing, and records of unknown apps are dropped.
 * Answers how many were new.
 */
export async function recordExecutions(
  ports: Ports,
  records: readonly ExecutionRecord[],
): Promise<number> {
  const ids = await ports.stores.apps.idsOf([...new Set(records.map(({ app }) => app))]);
  const rows = records.flatMap((record): ExecutionRow[] => {
    const appId = ids.get(record.app);
    if (appId === undefined || !EXECUTION_ID.test(record.id)) return [];
    const { version, method, path, status: responseStatus, outcome: status } = record;
    const { reason, startedMs, durationMs, cold } = record;
    const id = record.id as ExecutionId;
    const facts = { id, appId, version, status, reason: reason ?? undefined, method, path };
    return [{ ...facts, responseStatus, startedMs, durationMs, cold }];
  });
  return rows.length === 0 ? 0 : ports.stores.executions.insert(rows);
}
