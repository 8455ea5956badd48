import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";

/** A typed client of ComputeService. Calls throw IgniteApiError. */
export type ComputeClient = Client<typeof ComputeService>;

/** Makes a client on a transport of `transportOf`. */
export function computeClient(transport: Transport): ComputeClient {
  return createClient(ComputeService, transport);
}
