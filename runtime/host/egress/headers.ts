/** Headers on their way through: what belongs to one connection or to the platform stays here. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { IgniteError } from "../../../core/errors.ts";

const HEADERS_MAX = 256; // As most servers take
const HOP_BY_HOP = new Set([
  "connection",
  "expect", // Answered at this hop
  "host", // Set anew from the parsed URL
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** A header set as `http.request` takes it. */
export type HeaderSet = Record<string, string | string[]>;

/** The guest's headers for the other side. Fails with EGRESS_DENIED when there are too many. */
export function requestHeaders(request: IncomingMessage): HeaderSet {
  if (request.rawHeaders.length / 2 > HEADERS_MAX) {
    throw new IgniteError({
      code: "permission_denied",
      reason: "EGRESS_DENIED",
      message: `A request may have ${HEADERS_MAX} headers.`,
    });
  }
  const headers: HeaderSet = Object.create(null);
  for (const [name, value] of passing(request)) {
    const lower = name.toLowerCase();
    const before = headers[lower];
    headers[lower] = before === undefined ? value : [before, value].flat();
  }
  if (request.headers["transfer-encoding"] !== undefined) {
    delete headers["content-length"];
    headers["transfer-encoding"] = "chunked";
  }
  return headers;
}

/** Adds what asks for a WebSocket. */
export function withUpgrade(headers: HeaderSet): HeaderSet {
  return { ...headers, connection: "Upgrade", upgrade: "websocket" };
}

/** The answer's headers for the guest, flat as `writeHead` takes them, duplicates kept apart. */
export function responseHeaders(response: IncomingMessage): string[] {
  return [...passing(response)].flat();
}

/** Whether a request has a body to send on. */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  const { "content-length": length, "transfer-encoding": encoding } = headers;
  return encoding !== undefined || (length !== undefined && length !== "0");
}

function* passing(message: IncomingMessage): Generator<[string, string]> {
  const { rawHeaders } = message;
  const named = (message.headers.connection ?? "").toLowerCase().split(/\s*,\s*/);
  const dropped = new Set(named);
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || dropped.has(lower) || lower.startsWith("ignite-")) continue;
    yield [name, rawHeaders[i + 1] ?? ""];
  }
}
