import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { type Execution, ExecutionSchema } from "../../proto/gen/ignite/v1/execution_pb.ts";
import { ExecutionStatus } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { LogLevel } from "../../proto/gen/ignite/v1/log_pb.ts";
import { type MemoryState, startOfTime } from "./memory-state.ts";

/** Executions over the state: one that is watched runs, logs a line and ends. */
export function executionRoutes(state: MemoryState): Partial<ServiceImpl<typeof ComputeService>> {
  const view = (id: string): Execution => {
    const status = state.executions.get(id);
    if (status === undefined) throw new ConnectError(`There is no execution ${id}.`, Code.NotFound);
    const failure =
      status === ExecutionStatus.FAILED
        ? { reason: "GUEST_ERROR", message: "It threw." }
        : undefined;
    return create(ExecutionSchema, {
      id,
      app: "acme/hello",
      version: 1,
      status,
      requestMethod: "POST",
      requestPath: "/job",
      createTime: startOfTime,
      ...(failure && { failure }),
    });
  };
  return {
    getExecution: ({ id }) => ({ execution: view(id) }),
    listExecutions: () => ({ executions: [...state.executions.keys()].map(view) }),
    cancelExecution({ id }) {
      if (view(id).status <= ExecutionStatus.RUNNING) {
        state.executions.set(id, ExecutionStatus.CANCELLED);
      }
      return { execution: view(id) };
    },
    async *watchExecution({ id, includeLogs }) {
      yield { event: { case: "execution", value: view(id) } };
      if (includeLogs) {
        const value = { sequence: 1n, level: LogLevel.INFO, message: "working", executionId: id };
        yield { event: { case: "log", value } };
      }
      if (view(id).status > ExecutionStatus.RUNNING) return;
      state.executions.set(id, ExecutionStatus.SUCCEEDED);
      yield { event: { case: "execution", value: view(id) } };
    },
  };
}
