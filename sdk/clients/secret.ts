import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { SecretService } from "../../proto/gen/ignite/v1/secret_service_pb.ts";

/** A typed client of SecretService. Calls throw IgniteApiError. */
export type SecretClient = Client<typeof SecretService>;

/** Makes a client on a transport of `transportOf`. */
export function secretClient(transport: Transport): SecretClient {
  return createClient(SecretService, transport);
}
