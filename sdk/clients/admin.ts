import type { Transport } from "@connectrpc/connect";
import { AdminService } from "../../proto/gen/ignite/v1/admin_service_pb.ts";
import { type TypedClient, typedClient } from "./typed-client.ts";

/** A typed client of AdminService. Calls throw IgniteApiError. */
export type AdminClient = TypedClient<typeof AdminService>;

/** Makes a client on a transport of `transportOf`. */
export function adminClient(transport: Transport): AdminClient {
  return typedClient(AdminService, transport);
}
