/**
 * `fetch` that reaches `*.localhost`, as browsers and curl do. Not every resolver knows these
 * names, and Node's own fetch takes neither another resolver nor another Host header.
 */
import { type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { lookupLoopback } from "./loopback.ts";

const WITHOUT_BODY = new Set([101, 204, 205, 304]);

/** As the global `fetch`; bodies sent to `*.localhost` are text or bytes. */
export const localFetch: typeof fetch = (input, init = {}) => {
  const url = new URL(input instanceof Request ? input.url : input);
  const isLocal = url.protocol === "http:" && url.hostname.endsWith(".localhost");
  return isLocal ? fetchFromLoopback(url, init) : fetch(input, init);
};

function fetchFromLoopback(url: URL, init: RequestInit): Promise<Response> {
  const { method = "GET", body, signal } = init;
  const headers = Object.fromEntries(new Headers(init.headers));
  const options = { method, headers, lookup: lookupLoopback, ...(signal && { signal }) };
  return new Promise((done, fail) => {
    const call = request(url, options, (answer) => done(responseOf(answer)));
    call.once("error", (error) => fail(new TypeError("fetch failed", { cause: error })));
    call.end(body ?? undefined);
  });
}

function responseOf(answer: IncomingMessage): Response {
  const headers = new Headers();
  for (let at = 0; at < answer.rawHeaders.length; at += 2) {
    headers.append(answer.rawHeaders[at] ?? "", answer.rawHeaders[at + 1] ?? "");
  }
  const status = answer.statusCode ?? 500;
  if (WITHOUT_BODY.has(status)) {
    answer.resume();
    return new Response(null, { status, headers });
  }
  return new Response(Readable.toWeb(answer) as ReadableStream, { status, headers });
}
