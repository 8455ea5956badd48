/**
 * The address of an outgoing request. It is parsed once, by the WHATWG parser, and only the parsed
 * form is used afterwards: what is checked is what is dialled.
 */
import { IgniteError } from "../../../core/errors.ts";

/** Where a request goes. */
export interface Target {
  /** Host name as DNS takes it, or an address without brackets. Lower case. */
  hostname: string;
  port: number;
  /** Value of the Host header. */
  host: string;
  /** Path and query. */
  path: string;
  secure: boolean;
  /** A host of this platform: reached through the front, never dialled. */
  platform: boolean;
}

const URL_BYTES_MAX = 16 * 1024; // As the front takes
const PORT_OF: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
  "ws:": 80,
  "wss:": 443,
};

/** Reads the absolute URL of a request. Fails with EGRESS_DENIED. */
export function parseTarget(text: string | undefined, domain?: string): Target {
  if (text === undefined || text.length > URL_BYTES_MAX) throw refused("The URL is too long.");
  const url = URL.parse(text);
  if (url === null) throw refused("The URL cannot be read.");
  const portDefault = PORT_OF[url.protocol];
  if (portDefault === undefined) throw refused(`${url.protocol} is not offered, only http and ws.`);
  if (url.username !== "" || url.password !== "") {
    throw refused("The URL has credentials in it.", "Send an Authorization header instead.");
  }
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    hostname,
    port: url.port === "" ? portDefault : Number(url.port),
    host: url.host,
    path: `${url.pathname}${url.search}`,
    secure: portDefault === 443,
    platform: domain !== undefined && isWithin(hostname, domain),
  };
}

/** An error that tells a guest why it may not go there. */
export function refused(message: string, hint?: string): IgniteError {
  const rest = hint === undefined ? {} : { hint };
  return new IgniteError({ code: "permission_denied", reason: "EGRESS_DENIED", message, ...rest });
}

function isWithin(hostname: string, domain: string): boolean {
  const name = hostname.replace(/\.$/, "");
  return name === domain || name.endsWith(`.${domain}`);
}
