/** RPCs that invoke apps. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import type { AppRef } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import type { HttpHeaderSchema, HttpRequest } from "../../proto/gen/ignite/v1/execution_pb.ts";
import type { CallContext } from "../context.ts";
import { notImplemented } from "../operations/failures.ts";
import { type Invocation, invoke } from "../operations/invocations.ts";
import type { Ports } from "../ports.ts";
import { callOf } from "./call.ts";
import { appReferenceOf } from "./references.ts";

type InvocationMethods = "invoke" | "invokeStream" | "invokeAsync";

/** The part of ComputeService that invokes apps. */
export function invocationMethods(
  ports: Ports,
): Pick<ServiceImpl<typeof ComputeService>, InvocationMethods> {
  return {
    async invoke(request, context) {
      const { response, ...rest } = await invoke(callOf(context), ports, decode(request));
      const body = new Uint8Array(await response.arrayBuffer());
      return { ...rest, response: { status: response.status, headers: headersOf(response), body } };
    },
    invokeStream: (request, context) => stream(callOf(context), ports, decode(request)),
    invokeAsync() {
      throw notImplemented("InvokeAsync");
    },
  };
}

async function* stream(call: CallContext, ports: Ports, invocation: Invocation) {
  const { response, executionId, version } = await invoke(call, ports, invocation);
  const head = { status: response.status, headers: headersOf(response), executionId, version };
  yield { part: { case: "head", value: head } } as const;
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      yield { part: { case: "body", value: chunk.value as Uint8Array } } as const;
    }
  } finally {
    await reader.cancel();
  }
}

function decode({
  app,
  version,
  request,
}: {
  app?: AppRef | undefined;
  version: number;
  request?: HttpRequest | undefined;
}): Invocation {
  const { method = "", path = "", headers = [], body = new Uint8Array() } = request ?? {};
  return {
    app: appReferenceOf(app),
    version,
    method,
    path,
    headers,
    body: new Uint8Array(body),
  };
}

function headersOf({ headers }: Response): MessageInitShape<typeof HttpHeaderSchema>[] {
  const cookies = headers.getSetCookie().map((value) => ({ name: "set-cookie", value }));
  const others = [...headers].filter(([name]) => name !== "set-cookie");
  return [...others.map(([name, value]) => ({ name, value })), ...cookies];
}
