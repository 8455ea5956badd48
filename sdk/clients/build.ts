import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { BuildService } from "../../proto/gen/ignite/v1/build_service_pb.ts";

/** A typed client of BuildService. Calls throw IgniteApiError. */
export type BuildClient = Client<typeof BuildService>;

/** Makes a client on a transport of `transportOf`. */
export function buildClient(transport: Transport): BuildClient {
  return createClient(BuildService, transport);
}
