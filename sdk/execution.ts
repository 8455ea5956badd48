/** A queued invocation: wait for its end, watch it, take its output, cancel it. */
import type { Execution as ExecutionState } from "../proto/gen/ignite/v1/execution_pb.ts";
import { ExecutionStatus } from "../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { WatchExecutionResponse } from "../proto/gen/ignite/v1/invocation_pb.ts";
import { type ComputeClient, computeClient } from "./clients/compute.ts";
import { type ApiCode, errorOfResponse, IgniteApiError } from "./errors.ts";
import { type Connection, request } from "./connection.ts";
import { transportOf } from "./transport.ts";

/** A change, a log line or a gap in the log of an execution. */
export type ExecutionEvent = Exclude<WatchExecutionResponse["event"], { case: undefined }>;

/** A handle on one execution. */
export interface Execution {
  /** `exe_…`. */
  readonly id: string;
  /** Reads its present state. */
  get(): Promise<ExecutionState>;
  /** Its changes and log lines, from its present state to its end. */
  watch(): AsyncIterable<ExecutionEvent>;
  /**
   * Waits for its end and answers the app's response. Fails with the execution's own reason when
   * it failed, was cancelled, timed out or expired.
   */
  result(): Promise<Response>;
  /** Cancels it; one that has ended is left as it is. */
  cancel(): Promise<ExecutionState>;
}

/** A handle on the execution of this id; whether it exists shows at the first call. */
export function executionOf(connection: Connection, id: string): Execution {
  const compute = computeClient(transportOf(connection));
  const state = async (answer: Promise<{ execution?: ExecutionState | undefined }>) =>
    (await answer).execution ?? missing(id);
  return {
    id,
    get: () => state(compute.getExecution({ id })),
    watch: () => watch(compute, id),
    cancel: () => state(compute.cancelExecution({ id })),
    async result() {
      const end = await lastState(compute, id);
      if (end.status !== ExecutionStatus.SUCCEEDED) throw failureOf(end);
      const response = await request(connection, `/executions/${id}/output`);
      const isProblem = response.headers.get("content-type") === "application/problem+json";
      if (isProblem && !response.ok) throw await errorOfResponse(response);
      return response;
    },
  };
}

/** Whether an execution in this state changes no more. */
export function hasEnded(status: ExecutionStatus): boolean {
  return status > ExecutionStatus.RUNNING;
}

async function* watch(compute: ComputeClient, id: string): AsyncGenerator<ExecutionEvent> {
  for await (const { event } of compute.watchExecution({ id, includeLogs: true })) {
    if (event.case !== undefined) yield event;
  }
}

async function lastState(compute: ComputeClient, id: string): Promise<ExecutionState> {
  let last: ExecutionState | undefined;
  for await (const { event } of compute.watchExecution({ id })) {
    if (event.case === "execution") last = event.value;
  }
  if (last !== undefined && hasEnded(last.status)) return last;
  throw new IgniteApiError({
    code: "unavailable",
    reason: "CONTROL_UNAVAILABLE",
    message: `The connection ended before execution ${id} did.`,
    hint: "Ask for the result again.",
  });
}

const CODES: Readonly<Partial<Record<ExecutionStatus, ApiCode>>> = {
  [ExecutionStatus.CANCELLED]: "canceled",
  [ExecutionStatus.TIMED_OUT]: "deadline_exceeded",
  [ExecutionStatus.EXPIRED]: "deadline_exceeded",
};

function failureOf(execution: ExecutionState): IgniteApiError {
  const code = CODES[execution.status] ?? "unknown";
  const { reason, message, stack } = execution.failure ?? { reason: "", message: "", stack: "" };
  return new IgniteApiError({
    code,
    reason: reason || code.toUpperCase(),
    message: message || `Execution ${execution.id} did not succeed.`,
    stackOfApp: stack || undefined,
  });
}

function missing(id: string): never {
  throw new IgniteApiError({
    code: "not_found",
    reason: "NOT_FOUND",
    message: `There is no execution ${id}.`,
  });
}
