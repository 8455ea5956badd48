/** Executions for callers without an RPC client: JSON, or a stream of server-sent events. */
import { create, toJson } from "@bufbuild/protobuf";
import { Hono } from "hono";
import { ExecutionSchema } from "../../../proto/gen/ignite/v1/execution_pb.ts";
import { notImplemented } from "../../operations/failures.ts";
import { getExecution } from "../../operations/executions.ts";
import type { Ports } from "../../ports.ts";
import { encodeExecution } from "../../rpc/executions.ts";
import { type AppContext, type AppEnvironment, callOf } from "../environment.ts";

/**
 * `GET` and `DELETE` of `/executions/{id}`.
 * @example app.route("/executions", executions(ports))
 */
export function executions(ports: Ports): Hono<AppEnvironment> {
  const app = new Hono<AppEnvironment>();
  const read = async (context: AppContext, id: string) => {
    const call = await callOf(context, ports, "invoke", "read executions");
    const found = await getExecution(call, ports, id);
    return toJson(ExecutionSchema, create(ExecutionSchema, encodeExecution(found)));
  };
  app.get("/:id", async (context) => {
    const execution = await read(context, context.req.param("id"));
    const wantsEvents = context.req.header("accept")?.includes("text/event-stream") ?? false;
    if (!wantsEvents) return context.json(execution);
    context.header("content-type", "text/event-stream");
    return context.body(`event: execution\ndata: ${JSON.stringify(execution)}\n\n`);
  });
  app.delete("/:id", async (context) => context.json(await read(context, context.req.param("id"))));
  app.get("/:id/output", async (context) => {
    await read(context, context.req.param("id"));
    throw notImplemented("The output of executions");
  });
  return app;
}
