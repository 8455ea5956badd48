import type { Transport } from "@connectrpc/connect";
import { BuildService } from "../../proto/gen/ignite/v1/build_service_pb.ts";
import { type TypedClient, typedClient } from "./typed-client.ts";

/** A typed client of BuildService. Calls throw IgniteApiError. */
export type BuildClient = TypedClient<typeof BuildService>;

/** Makes a client on a transport of `transportOf`. */
export function buildClient(transport: Transport): BuildClient {
  return typedClient(BuildService, transport);
}
