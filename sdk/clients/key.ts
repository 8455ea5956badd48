import type { Transport } from "@connectrpc/connect";
import { KeyService } from "../../proto/gen/ignite/v1/key_service_pb.ts";
import { type TypedClient, typedClient } from "./typed-client.ts";

/** A typed client of KeyService. Calls throw IgniteApiError. */
export type KeyClient = TypedClient<typeof KeyService>;

/** Makes a client on a transport of `transportOf`. */
export function keyClient(transport: Transport): KeyClient {
  return typedClient(KeyService, transport);
}
