/** The few things that both halves of the store's HTTP server share. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { httpStatusOf, IgniteError } from "../../core/errors.ts";

/** A check of `Authorization: Bearer` that takes the same time for every wrong token. */
export function bearerCheck(token: string): (request: IncomingMessage) => boolean {
  const expected = sha256(token);
  return (request) => {
    const [scheme = "", presented = ""] = (request.headers.authorization ?? "").split(" ", 2);
    return timingSafeEqual(sha256(presented), expected) && scheme.toLowerCase() === "bearer";
  };
}

/** Answers with a JSON document. The bare media type matters: Hrana clients compare it whole. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": bytes.length,
  });
  response.end(bytes);
}

/** Answers an error as `{code, reason, message}`. */
export function sendError(response: ServerResponse, error: IgniteError, status?: number): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { code, reason, message } = error;
  sendJson(response, status ?? statusOf(error), { code, reason, message });
}

/** The body, chunk by chunk. Leaving early keeps the connection, so that an answer can be sent. */
export function bodyOf(request: IncomingMessage): AsyncIterable<Buffer> {
  return request.iterator({ destroyOnReturn: false });
}

/** Reads a whole body. Fails with BODY_TOO_LARGE over `bytesMax`. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of bodyOf(request)) {
    length += chunk.length;
    if (length > bytesMax) {
      throw new IgniteError({
        code: "resource_exhausted",
        reason: "BODY_TOO_LARGE",
        message: `The request has more than ${bytesMax} bytes.`,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function statusOf(error: IgniteError): number {
  if (error.reason === "STORE_FULL") return 507;
  if (error.reason === "BODY_TOO_LARGE") return 413;
  return httpStatusOf(error.code);
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
