import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { AdminService } from "../../proto/gen/ignite/v1/admin_service_pb.ts";

/** A typed client of AdminService. Calls throw IgniteApiError. */
export type AdminClient = Client<typeof AdminService>;

/** Makes a client on a transport of `transportOf`. */
export function adminClient(transport: Transport): AdminClient {
  return createClient(AdminService, transport);
}
