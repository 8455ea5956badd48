import type { Transport } from "@connectrpc/connect";
import { SecretService } from "../../proto/gen/ignite/v1/secret_service_pb.ts";
import { type TypedClient, typedClient } from "./typed-client.ts";

/** A typed client of SecretService. Calls throw IgniteApiError. */
export type SecretClient = TypedClient<typeof SecretService>;

/** Makes a client on a transport of `transportOf`. */
export function secretClient(transport: Transport): SecretClient {
  return typedClient(SecretService, transport);
}
