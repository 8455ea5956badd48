import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { type Connection, withApiErrors } from "./connection.ts";

/**
 * The transport of the typed clients (Connect protocol, JSON). What they throw is an
 * {@link IgniteApiError}.
 */
export function transportOf(connection: Connection): Transport {
  const transport = createConnectTransport({
    baseUrl: connection.url,
    fetch: connection.fetch,
    interceptors: [authorization(connection)],
  });
  return withApiErrors(transport, connection);
}

function authorization({ key }: Connection): Interceptor {
  return (next) => (call) => {
    if (key !== undefined) call.header.set("authorization", `Bearer ${key}`);
    return next(call);
  };
}
