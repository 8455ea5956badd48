import type { Transport } from "@connectrpc/connect";
import { AuditService } from "../../proto/gen/ignite/v1/audit_service_pb.ts";
import { type TypedClient, typedClient } from "./typed-client.ts";

/** A typed client of AuditService. Calls throw IgniteApiError. */
export type AuditClient = TypedClient<typeof AuditService>;

/** Makes a client on a transport of `transportOf`. */
export function auditClient(transport: Transport): AuditClient {
  return typedClient(AuditService, transport);
}
