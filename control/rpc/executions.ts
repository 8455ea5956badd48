/** RPCs on executions and logs. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import type { ExecutionSchema } from "../../proto/gen/ignite/v1/execution_pb.ts";
import { ExecutionStatus } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { TailLogsResponseSchema } from "../../proto/gen/ignite/v1/invocation_pb.ts";
import { LogLevel } from "../../proto/gen/ignite/v1/log_pb.ts";
import type { CallContext } from "../context.ts";
import { type ExecutionOfApp, getExecution, listExecutions } from "../operations/executions.ts";
import { type LogEvent, tailLogs } from "../operations/logs.ts";
import type { ExecutionRow, LogRow, Ports } from "../ports.ts";
import { callOf } from "./call.ts";
import { appReferenceOf } from "./references.ts";

type ExecutionMethods =
  | "getExecution"
  | "listExecutions"
  | "cancelExecution"
  | "watchExecution"
  | "tailLogs";

type TailMessage = MessageInitShape<typeof TailLogsResponseSchema>;
type Line = LogRow & { kind: "line" };

const STATUSES: Readonly<Record<ExecutionRow["status"], ExecutionStatus>> = {
  succeeded: ExecutionStatus.SUCCEEDED,
  failed: ExecutionStatus.FAILED,
  cancelled: ExecutionStatus.CANCELLED,
  timed_out: ExecutionStatus.TIMED_OUT,
};

const LEVELS: Readonly<Record<Line["level"], LogLevel>> = {
  debug: LogLevel.DEBUG,
  info: LogLevel.INFO,
  log: LogLevel.INFO,
  warn: LogLevel.WARN,
  error: LogLevel.ERROR,
};

/** The part of ComputeService about executions. */
export function executionMethods(
  ports: Ports,
): Pick<ServiceImpl<typeof ComputeService>, ExecutionMethods> {
  return {
    async getExecution({ id }, context) {
      return { execution: encodeExecution(await getExecution(callOf(context), ports, id)) };
    },
    async listExecutions({ statuses, ...request }, context) {
      const wanted = {
        ...request,
        app: appReferenceOf(request.app),
        statuses: statuses.flatMap(decodeStatus),
      };
      const { app, items, nextPageToken } = await listExecutions(callOf(context), ports, wanted);
      const executions = items.map((execution) => encodeExecution({ app, execution }));
      return { executions, nextPageToken };
    },
    async cancelExecution({ id }, context) {
      return { execution: encodeExecution(await getExecution(callOf(context), ports, id)) };
    },
    watchExecution: ({ id, includeLogs }, context) =>
      watch(callOf(context), ports, { id, includeLogs }),
    async *tailLogs(request, context) {
      const after = request.afterSequence;
      const wanted = {
        ...request,
        app: appReferenceOf(request.app),
        afterSequence: after === undefined ? undefined : Number(after),
      };
      for await (const event of tailLogs(callOf(context), ports, wanted)) yield encodeTail(event);
    },
  };
}

/** An execution as callers see it. */
export function encodeExecution({
  app,
  execution,
}: ExecutionOfApp): MessageInitShape<typeof ExecutionSchema> {
  const { startedMs, durationMs, reason } = execution;
  const message = reason === undefined ? "" : `The execution ended with ${reason}.`;
  return {
    id: execution.id,
    appId: app.id,
    app: `${app.org}/${app.name}`,
    version: execution.version,
    status: STATUSES[execution.status],
    ...(reason !== undefined && { failure: { reason, message } }),
    requestMethod: execution.method,
    requestPath: execution.path,
    responseStatus: execution.responseStatus,
    createTime: timestampFromMs(startedMs),
    startTime: timestampFromMs(startedMs),
    endTime: timestampFromMs(startedMs + durationMs),
    durationMs: Math.max(0, Math.round(durationMs)),
    attempt: 1,
    coldStart: execution.cold,
  };
}

/** One that can be read has ended, so its state is sent once, after what it wrote. */
async function* watch(
  call: CallContext,
  ports: Ports,
  { id, includeLogs }: { id: string; includeLogs: boolean },
) {
  const found = await getExecution(call, ports, id);
  const app = { id: found.app.id };
  const request = { app, executionId: id, afterSequence: 0, follow: false, tailCount: 0 };
  if (includeLogs) {
    for await (const event of tailLogs(call, ports, request)) {
      const { event: message } = encodeTail(event);
      if (message?.case === "entry")
        yield { event: { case: "log", value: message.value } } as const;
      if (message?.case === "gap") yield { event: { case: "gap", value: message.value } } as const;
    }
  }
  yield { event: { case: "execution", value: encodeExecution(found) } } as const;
}

function encodeTail(event: LogEvent): TailMessage {
  if (event.kind === "gap") {
    const { from, to, reason } = event;
    const value = { fromSequence: BigInt(from), toSequence: BigInt(to), reason };
    return { event: { case: "gap", value } };
  }
  const { sequence, timeMs, level, message, executionId = "", version, stack = "" } = event.row;
  const time = timestampFromMs(timeMs);
  const value = { sequence: BigInt(sequence), time, level: LEVELS[level], message, executionId };
  return { event: { case: "entry", value: { ...value, version, stack } } };
}

function decodeStatus(status: ExecutionStatus): ExecutionRow["status"][] {
  const names = Object.keys(STATUSES) as ExecutionRow["status"][];
  return names.filter((name) => STATUSES[name] === status);
}
