import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { ModelService } from "../../proto/gen/ignite/v1/model_service_pb.ts";

/** A typed client of ModelService. Calls throw IgniteApiError. */
export type ModelClient = Client<typeof ModelService>;

/** Makes a client on a transport of `transportOf`. */
export function modelClient(transport: Transport): ModelClient {
  return createClient(ModelService, transport);
}
