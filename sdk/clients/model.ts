import type { Transport } from "@connectrpc/connect";
import { ModelService } from "../../proto/gen/ignite/v1/model_service_pb.ts";
import { type TypedClient, typedClient } from "./typed-client.ts";

/** A typed client of ModelService. Calls throw IgniteApiError. */
export type ModelClient = TypedClient<typeof ModelService>;

/** Makes a client on a transport of `transportOf`. */
export function modelClient(transport: Transport): ModelClient {
  return typedClient(ModelService, transport);
}
