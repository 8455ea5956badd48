/**
 * Logs of apps. Positions grow per app without holes; what is lost, by a limit or with age, shows
 * as a gap. So a reader that resumes behind the last position it saw misses nothing unknowingly.
 */
import type { LogRecord } from "../../core/deployment.ts";
import type { AppId } from "../../core/ids.ts";
import type { CallContext } from "../context.ts";
import type { BatchName, LogItem, LogRow, Ports } from "../ports.ts";
import { type AppReference, getApp } from "./apps.ts";

/** A line, or a run of lost lines, both ends included. */
export type LogEvent =
  | { kind: "line"; row: LogRow & { kind: "line" } }
  | { kind: "gap"; from: number; to: number; reason: string };

/** Which part of a log is wanted. */
export interface TailRequest {
  app: AppReference;
  /** Empty means all. */
  executionId: string;
  /** Undefined starts with the newest lines. */
  afterSequence: number | undefined;
  follow: boolean;
  /** How many of the newest lines come first; 0 means the default. */
  tailCount: number;
}

/** How many lines an edge dropped, and why. */
export interface DroppedLines {
  app: string;
  dropped: number;
  reason: string;
  timeMs: number;
}

const LINE_OVERHEAD_BYTES = 200; // Columns and index of a row
const TAIL_COUNT_DEFAULT = 100;
const READ_LINES_MAX = 500; // Rows read at a time
const POLL_MS_MIN = 100; // Soon enough for somebody who watches
const POLL_MS_MAX = 1_000;

/** Streams a log in order; with `follow` until the caller leaves. */
export async function* tailLogs(
  context: CallContext,
  ports: Ports,
  request: TailRequest,
): AsyncGenerator<LogEvent> {
  const app = await getApp(context, ports, request.app);
  const executionId = request.executionId || undefined;
  const filter = { appId: app.id, executionId };
  let after = request.afterSequence;
  if (after === undefined) {
    const { last } = await ports.stores.logs.bounds(app.id);
    const count = request.tailCount || TAIL_COUNT_DEFAULT;
    const rows = await ports.stores.logs.newest(filter, count);
    yield* rows.map(eventOf);
    after = Math.max(last, endOf(rows.at(-1)));
  } else if (executionId === undefined) {
    const lost = await lostBehind(ports, app.id, after);
    if (lost !== undefined) yield lost;
  }
  yield* readOn(context, ports, { ...filter, after }, request.follow);
}

/** Keeps what an edge reports, in order; a batch that came before changes nothing. */
export async function recordLogs(
  ports: Ports,
  batch: BatchName,
  entries: readonly (LogRecord | DroppedLines)[],
): Promise<void> {
  const ids = await ports.stores.apps.idsOf([...new Set(entries.map(({ app }) => app))]);
  const items = entries.flatMap((entry): LogItem[] => {
    const appId = ids.get(entry.app);
    return appId === undefined ? [] : [itemOf(appId, admitted(ports, entry))];
  });
  if (items.length > 0) await ports.stores.logs.append(batch, joined(items));
}

/** The entry, or that it was lost when the organization logs more than it may. */
function admitted(ports: Ports, entry: LogRecord | DroppedLines): LogRecord | DroppedLines {
  if ("dropped" in entry) return entry;
  const { app, timeMs, message, stack } = entry;
  const [org = ""] = app.split("/");
  const bytes = LINE_OVERHEAD_BYTES + message.length + (stack?.length ?? 0);
  if (ports.admission.admitsLog(org, bytes, ports.clock.nowMs())) return entry;
  return { app, dropped: 1, reason: "rate_limited", timeMs };
}

/** Gaps of one app that follow upon each other as one, so that a flood is few rows. */
function joined(items: readonly LogItem[]): LogItem[] {
  const kept: LogItem[] = [];
  const lastOf = new Map<AppId, LogItem>();
  for (const item of items) {
    const last = lastOf.get(item.appId);
    if (item.kind === "gap" && last?.kind === "gap" && last.reason === item.reason) {
      last.count += item.count;
      continue;
    }
    const copy = { ...item };
    kept.push(copy);
    lastOf.set(item.appId, copy);
  }
  return kept;
}

function itemOf(appId: AppId, entry: LogRecord | DroppedLines): LogItem {
  const { timeMs } = entry;
  if ("dropped" in entry) {
    return { kind: "gap", appId, count: entry.dropped, reason: entry.reason, timeMs };
  }
  const { version, level, message } = entry;
  const executionId = entry.executionId ?? undefined;
  const stack = entry.stack ?? undefined;
  return { kind: "line", appId, version, executionId, timeMs, level, message, stack };
}

async function* readOn(
  { signal }: CallContext,
  ports: Ports,
  start: { appId: AppId; executionId: string | undefined; after: number },
  follow: boolean,
): AsyncGenerator<LogEvent> {
  let { after } = start;
  let pauseMs = POLL_MS_MIN;
  while (!signal.aborted) {
    const rows = await ports.stores.logs.list({ ...start, after }, READ_LINES_MAX);
    yield* rows.map(eventOf);
    after = Math.max(after, endOf(rows.at(-1)));
    if (rows.length === READ_LINES_MAX) continue;
    if (!follow) return;
    pauseMs = rows.length > 0 ? POLL_MS_MIN : Math.min(pauseMs * 2, POLL_MS_MAX);
    await ports.sleep(pauseMs, signal);
  }
}

/** What was deleted with age behind the position that a reader resumes at. */
async function lostBehind(
  ports: Ports,
  appId: AppId,
  after: number,
): Promise<LogEvent | undefined> {
  const { first } = await ports.stores.logs.bounds(appId);
  if (first <= after + 1) return undefined;
  return { kind: "gap", from: after + 1, to: first - 1, reason: "expired" };
}

function eventOf(row: LogRow): LogEvent {
  if (row.kind === "line") return { kind: "line", row };
  return { kind: "gap", from: row.sequence, to: endOf(row), reason: row.reason };
}

/** The last position that a row takes. */
function endOf(row: LogRow | undefined): number {
  if (row === undefined) return 0;
  return row.kind === "line" ? row.sequence : row.sequence + row.count - 1;
}
