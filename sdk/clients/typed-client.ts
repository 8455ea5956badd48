import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { AppRefSchema } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { appRef } from "../names.ts";

/** A typed client that takes an app by its name, `org/app`, or its id wherever a call wants one. */
export type TypedClient<Service extends DescService> = {
  [Name in keyof Client<Service>]: WithAppNames<Client<Service>[Name]>;
};

type WithAppNames<Call> = Call extends (request: infer Request, ...rest: infer Rest) => infer Answer
  ? (request: Named<Request>, ...rest: Rest) => Answer
  : Call;
type Named<Request> = Request extends { app?: infer App }
  ? Omit<Request, "app"> & { app?: App | string }
  : Request;

/** Makes a client. What its calls throw is the transport's choice. */
export function typedClient<Service extends DescService>(
  service: Service,
  transport: Transport,
): TypedClient<Service> {
  return createClient(service, withAppNames(transport)) as unknown as TypedClient<Service>;
}

function withAppNames(transport: Transport): Transport {
  return {
    unary: (method, signal, timeoutMs, header, input, values) =>
      transport.unary(method, signal, timeoutMs, header, resolve(method, input), values),
    stream: (method, signal, timeoutMs, header, input, values) =>
      transport.stream(method, signal, timeoutMs, header, resolveEach(method, input), values),
  };
}

function resolve<Input>(method: DescMethod, input: Input): Input {
  const { app } = input as { app?: unknown };
  const wantsRef = method.input.field["app"]?.message?.typeName === AppRefSchema.typeName;
  return wantsRef && typeof app === "string" ? { ...input, app: appRef(app) } : input;
}

async function* resolveEach<Input>(
  method: DescMethod,
  inputs: AsyncIterable<Input>,
): AsyncGenerator<Input> {
  for await (const input of inputs) yield resolve(method, input);
}
