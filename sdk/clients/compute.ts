import type { Transport } from "@connectrpc/connect";
import { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { type TypedClient, typedClient } from "./typed-client.ts";

/** A typed client of ComputeService. Calls throw IgniteApiError. */
export type ComputeClient = TypedClient<typeof ComputeService>;

/** Makes a client on a transport of `transportOf`. */
export function computeClient(transport: Transport): ComputeClient {
  return typedClient(ComputeService, transport);
}
