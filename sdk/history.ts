/** What an app left behind: its log, its executions, its versions. */
import type { Execution as ExecutionState } from "../proto/gen/ignite/v1/execution_pb.ts";
import type { ExecutionStatus, VersionStatus } from "../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { TailLogsResponse } from "../proto/gen/ignite/v1/invocation_pb.ts";
import type { Version } from "../proto/gen/ignite/v1/version_pb.ts";
import type { ComputeClient } from "./clients/compute.ts";

/** A line of a log, or a gap where lines are lost. */
export type LogEvent = Exclude<TailLogsResponse["event"], { case: undefined }>;

/** Which part of a log. */
export interface LogOptions {
  /** Goes on with new lines. Default false: ends at the newest. */
  follow?: boolean;
  /** Only lines of this execution. */
  executionId?: string;
  /** How many of the newest lines come first, unless there is a position. Default 100. */
  tailCount?: number;
  /** Starts behind this position; 0 is before the oldest line. */
  afterSequence?: bigint;
  signal?: AbortSignal;
}

/** Which executions; all without options. */
export interface ExecutionFilter {
  statuses?: ExecutionStatus[];
  version?: number;
}

/** Which versions; all without options. */
export interface VersionFilter {
  statuses?: VersionStatus[];
}

/** The log in order; leaving the loop ends the call. */
export async function* logsOf(
  compute: ComputeClient,
  app: string,
  { signal, ...options }: LogOptions,
): AsyncGenerator<LogEvent> {
  const left = new AbortController();
  const signals = signal === undefined ? [left.signal] : [left.signal, signal];
  try {
    const call = { signal: AbortSignal.any(signals) };
    for await (const { event } of compute.tailLogs({ app, ...options }, call)) {
      if (event.case !== undefined) yield event;
    }
  } finally {
    left.abort();
  }
}

/** Executions, newest first, read page by page. */
export function executionsOf(
  compute: ComputeClient,
  app: string,
  filter: ExecutionFilter,
): AsyncGenerator<ExecutionState> {
  return paged(async (pageToken) => {
    const page = await compute.listExecutions({ app, ...filter, pageToken });
    return { items: page.executions, nextPageToken: page.nextPageToken };
  });
}

/** Versions, newest first, read page by page. */
export function versionsOf(
  compute: ComputeClient,
  app: string,
  filter: VersionFilter,
): AsyncGenerator<Version> {
  return paged(async (pageToken) => {
    const page = await compute.listVersions({ app, ...filter, pageToken });
    return { items: page.versions, nextPageToken: page.nextPageToken };
  });
}

async function* paged<Item>(
  read: (pageToken: string) => Promise<{ items: readonly Item[]; nextPageToken: string }>,
): AsyncGenerator<Item> {
  let pageToken = "";
  do {
    const page = await read(pageToken);
    yield* page.items;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}
