/**
 * One outgoing request: where it goes is decided first, then its bytes pass both ways as fast as
 * the slower side takes them. Nothing is decompressed, no redirect is followed: each hop of a guest
 * comes back here and is checked again.
 */
import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { IgniteError } from "../../../core/errors.ts";
import { hopsMax } from "../../../core/limits.ts";
import type { AddressPolicy } from "./addresses.ts";
import type { Caller, Callers } from "./callers.ts";
import { type HeaderSet, requestHeaders, withUpgrade } from "./headers.ts";
import { type Resolve, type ResolvedAddress, resolveTarget } from "./resolver.ts";
import { parseTarget, type Target } from "./target.ts";

/** The way to the platform's own hosts. */
export interface Front {
  domain: string;
  socketPath: string;
}

/** What decides about and carries out requests. */
export interface ExchangeContext {
  /** Absent where there is no platform. */
  front: Front | undefined;
  policy: AddressPolicy;
  resolve: Resolve;
  callers: Callers;
  /** Longest silence of a connection, and longest wait for it to open. */
  idleTimeoutMs: number;
  connectTimeoutMs: number;
  /** Longest answer; no limit when absent. */
  responseBytesMax: number | undefined;
}

/** A request that may go out, with its caller counted in. */
export interface Departure {
  target: Target;
  caller: Caller;
  addresses: readonly ResolvedAddress[];
  headers: HeaderSet;
  method: string;
  /** Counts the caller out again. May be called twice. */
  leave: () => void;
}

const HEADER_BYTES_MAX = 64 * 1024; // As large as answers with many cookies get

/** Decides about a request. Fails with EGRESS_DENIED, EGRESS_FAILED, OVERLOADED, LOOP_DETECTED. */
export async function depart(
  context: ExchangeContext,
  request: IncomingMessage,
): Promise<Departure> {
  const caller = context.callers.get(headerOf(request, "ignite-app") ?? "unknown");
  const leave = caller.enter();
  try {
    const target = parseTarget(urlOf(request), context.front?.domain);
    const headers = { ...requestHeaders(request), host: target.host };
    if (target.platform) Object.assign(headers, { "ignite-hops": nextHop(request) });
    const addresses = target.platform
      ? []
      : await resolveTarget(target, context.resolve, context.policy);
    return { target, caller, addresses, headers, method: request.method ?? "GET", leave };
  } catch (error) {
    leave();
    const denied = error instanceof IgniteError && error.reason === "EGRESS_DENIED";
    caller.counters[denied ? "denied" : "failed"] += 1;
    throw error;
  }
}

/** Opens the request to the other side; nothing of its body is sent yet. */
export function open(
  context: ExchangeContext,
  departure: Departure,
  upgrade: boolean,
): ClientRequest {
  const { target, caller, method, headers } = departure;
  const common = {
    method,
    path: target.path,
    headers: upgrade ? withUpgrade(headers) : headers,
    maxHeaderSize: HEADER_BYTES_MAX,
    setDefaultHeaders: false,
  };
  const front = target.platform ? context.front : undefined;
  const opened =
    front === undefined
      ? dial(departure, common)
      : httpRequest({ ...common, socketPath: front.socketPath, agent: caller.http });
  bound(opened, context);
  return opened;
}

function dial(departure: Departure, common: object): ClientRequest {
  const { target, caller, addresses } = departure;
  const options = {
    ...common,
    host: target.hostname,
    port: target.port,
    lookup: pinned(addresses),
    autoSelectFamily: true,
  };
  if (!target.secure) return httpRequest({ ...options, agent: caller.http });
  const servername = isIP(target.hostname) === 0 ? target.hostname : "";
  return httpsRequest({ ...options, agent: caller.https, servername });
}

/** A lookup that knows one answer: the addresses that were checked. */
function pinned(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_hostname, options, done) => {
    const [first] = addresses;
    if (options.all === true || first === undefined) done(null, [...addresses]);
    else done(null, first.address, first.family);
  };
}

/** Ends a request of which nothing is heard for too long. */
function bound(request: ClientRequest, context: ExchangeContext): void {
  const { connectTimeoutMs, idleTimeoutMs } = context;
  const late = (what: string) => request.destroy(new Error(what));
  request.once("socket", (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(late, connectTimeoutMs, "the connection did not open in time");
    const clear = () => clearTimeout(timer);
    socket.once("connect", clear).once("close", clear);
  });
  request.setTimeout(idleTimeoutMs, () => late("nothing was heard for too long"));
}

function nextHop(request: IncomingMessage): string {
  const hops = Number(headerOf(request, "ignite-hops") ?? "0");
  if (Number.isSafeInteger(hops) && hops >= 0 && hops < hopsMax) return String(hops + 1);
  throw new IgniteError({
    code: "resource_exhausted",
    reason: "LOOP_DETECTED",
    message: `The request came through ${hopsMax} apps.`,
    hint: "An app probably calls itself.",
  });
}

/** Headers are read byte by byte; the URL may be UTF-8. */
function urlOf(request: IncomingMessage): string | undefined {
  const url = headerOf(request, "ignite-egress-url");
  return url === undefined ? undefined : Buffer.from(url, "latin1").toString("utf8");
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
