import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { KeyService } from "../../proto/gen/ignite/v1/key_service_pb.ts";

/** A typed client of KeyService. Calls throw IgniteApiError. */
export type KeyClient = Client<typeof KeyService>;

/** Makes a client on a transport of `transportOf`. */
export function keyClient(transport: Transport): KeyClient {
  return createClient(KeyService, transport);
}
