/**
 * How commands reach the control API: Connect over Node's own HTTP client. Loading what the global
 * `fetch` is made of costs a short command more than the call itself.
 */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { type Connection, withApiErrors } from "../sdk/connection.ts";
import { lookupLoopback } from "./loopback.ts";

/** The transport of all clients of one command; its connection is used again. */
export function nodeTransport(connection: Connection): Transport {
  const { hostname, protocol } = new URL(connection.url);
  const options = { keepAlive: true };
  const agent = protocol === "https:" ? new HttpsAgent(options) : new HttpAgent(options);
  const lookup = hostname.endsWith(".localhost") ? { lookup: lookupLoopback } : {};
  const transport = createConnectTransport({
    baseUrl: connection.url,
    httpVersion: "1.1",
    nodeOptions: { agent, ...lookup },
    interceptors: [authorization(connection.key)],
  });
  return withApiErrors(transport, connection);
}

function authorization(key: string | undefined): Interceptor {
  return (next) => (call) => {
    if (key !== undefined) call.header.set("authorization", `Bearer ${key}`);
    return next(call);
  };
}
