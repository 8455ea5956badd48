/**
 * What the front does, where no HAProxy stands before the cell: drops headers that only the
 * platform may set, names the request and whom it came from, and passes hosts and paths that are no
 * app's to control.
 */
import { asyncRefusedMessage, serviceWorkerRefusedMessage } from "../../core/refusals.ts";
import { IgniteError } from "../../core/errors.ts";
import { parseHost, targetOfHost } from "../../core/names.ts";
import type { Gateway } from "./gateway.ts";
import { problemResponse } from "./problem.ts";

const KEPT: ReadonlySet<string> = new Set(["ignite-sticky", "ignite-timing"]);
const NOT_OF_CALLERS = ["forwarded", "x-forwarded-host", "x-forwarded-prefix"];

/**
 * A front for a gateway that strangers reach directly. Never throws. `addressOf` answers where a
 * request came from, or nothing, and takes no caller's word for it.
 */
export function fallbackFront(
  gateway: Gateway,
  domain: string,
  control: Pick<Fetcher, "fetch"> | undefined,
  addressOf: (request: Request) => string = connectedAddress,
): Pick<Gateway, "fetch"> {
  return {
    async fetch(request, context) {
      const requestId = newRequestId();
      const cleaned = clean(request, requestId, addressOf(request));
      try {
        const host = request.headers.get("host");
        const toControl = control !== undefined && isPlatformAddress(cleaned, host, domain);
        if (!toControl && /respond-async/i.test(request.headers.get("prefer") ?? "")) {
          throw asyncRefused();
        }
        if (isSharedServiceWorker(cleaned)) throw serviceWorkerRefused();
        const response = toControl
          ? await (control.fetch(cleaned as never) as unknown as Promise<Response>)
          : await gateway.fetch(cleaned, context);
        return withRequestId(response, requestId);
      } catch (caught) {
        return problemResponse(IgniteError.from(caught), requestId, undefined, {
          "ignite-request-id": requestId,
        });
      }
    },
  };
}

function asyncRefused(): IgniteError {
  return new IgniteError({
    code: "unimplemented",
    reason: "NOT_IMPLEMENTED",
    message: asyncRefusedMessage,
  });
}

/** By path all apps are one origin to a browser: none may answer for the others. */
function isSharedServiceWorker({ url, headers }: Request): boolean {
  return headers.has("service-worker") && new URL(url).pathname.startsWith("/@");
}

function serviceWorkerRefused(): IgniteError {
  return new IgniteError({
    code: "permission_denied",
    reason: "REQUEST_INVALID",
    message: serviceWorkerRefusedMessage,
  });
}

/** Hosts that are neither the domain's app hosts nor ask for an app by path are the platform's. */
function isPlatformAddress(request: Request, rawHost: string | null, domain: string): boolean {
  const host = parseHost(rawHost);
  if (host === undefined || targetOfHost(host.name, domain) !== undefined) return false;
  const local = host.name === domain || host.name === "localhost" || /^[0-9.]+$/.test(host.name);
  return local && !new URL(request.url).pathname.startsWith("/@");
}

/** The other end of the connection, which workerd tells as `192.0.2.1:5000` or `[::1]:5000`. */
function connectedAddress({ cf }: Request): string {
  const { clientIp = "" } = (cf ?? {}) as { clientIp?: string };
  return clientIp.replace(/:\d+$/, "").replaceAll(/[[\]]/g, "");
}

function clean(request: Request, requestId: string, address: string): Request {
  const headers = new Headers(request.headers);
  for (const name of [...headers.keys()]) {
    if (name.startsWith("ignite-") && !KEPT.has(name)) headers.delete(name);
  }
  for (const name of NOT_OF_CALLERS) headers.delete(name);
  headers.set("ignite-request-id", requestId);
  headers.set("x-forwarded-for", address);
  return new Request(request, { headers });
}

function withRequestId(response: Response, requestId: string): Response {
  const named = new Response(response.body, response);
  named.headers.delete("service-worker-allowed");
  named.headers.set("ignite-request-id", requestId);
  return named;
}

/** Sortable by time, unique by chance: 48 bits of milliseconds and 80 random ones, base 32. */
function newRequestId(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  const tail = Array.from(random, (byte) => ALPHABET[byte & 31]).join("");
  let time = "";
  for (let ms = Date.now(), at = 0; at < 10; at++) {
    time = ALPHABET[ms % 32] + time;
    ms = Math.floor(ms / 32);
  }
  return time + tail;
}

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
