/** An app's limits on what reaches it: methods, body size, hops. */
import { IgniteError } from "../../core/errors.ts";
import { hopsMax, subrequestsMax } from "../../core/limits.ts";
import type { AppEntry } from "./documents.ts";
import type { Invocation } from "./records.ts";

const MIB = 1024 * 1024;

/** Fails with METHOD_NOT_ALLOWED when the app's limits exclude the method. */
export function checkMethod(app: AppEntry, method: string): void {
  const { methods } = app.document.limits;
  if (methods.length === 0 || methods.includes(method)) return;
  throw new IgniteError({
    code: "unimplemented",
    reason: "METHOD_NOT_ALLOWED",
    message: `The app takes ${methods.join(", ")}.`,
    details: { allow: methods.join(", ") },
  });
}

/**
 * The request within the app's body limit: itself when its declared length fits, with a counted
 * body when none is declared. Fails with BODY_TOO_LARGE, also later through `invocation`.
 */
export function limitBody(request: Request, invocation: Invocation): Request {
  const { app, method } = invocation;
  if (method === "GET" && request.body === null) return request;
  const declared = request.headers.get("content-length");
  const bytesMax = app.document.limits.bodyMb * MIB;
  if (declared !== null) {
    if (Number(declared) > bytesMax) throw bodyTooLarge(app);
    return request;
  }
  if (method === "GET" || method === "HEAD" || request.body === null) return request;
  return new Request(request, {
    body: request.body.pipeThrough(countedStream(invocation, bytesMax)),
  });
}

/**
 * Reads the hop count that the egress process handed on. Fails with LOOP_DETECTED over the limit.
 */
export function checkHops(header: string): number {
  const hops = Number(header);
  if (Number.isSafeInteger(hops) && hops >= 0 && hops <= hopsMax) return hops;
  throw new IgniteError({
    code: "resource_exhausted",
    reason: "LOOP_DETECTED",
    message: `The request came through more than ${hopsMax} apps.`,
  });
}

/** An isolate called out more often than its executions may. */
export function subrequestsExceeded(): IgniteError {
  return new IgniteError({
    code: "resource_exhausted",
    reason: "SUBREQUESTS_EXCEEDED",
    message: `An execution may call out ${subrequestsMax} times.`,
    hint: "Call out less often, or spread the calls over several requests.",
  });
}

/** The status where HTTP has a finer one than the error's code. */
export function statusOf(error: IgniteError): number | undefined {
  switch (error.reason) {
    case "METHOD_NOT_ALLOWED":
      return 405;
    case "BODY_TOO_LARGE":
      return 413;
    case "LOOP_DETECTED":
      return 508;
    case "SUBREQUESTS_EXCEEDED":
      return 429;
    case "GUEST_ERROR":
    case "LOAD_FAILED":
    case "OUTPUT_REJECTED":
      return 502;
    default:
      return undefined;
  }
}

/**
 * Passes at most `bytesMax` on. Over that it stops without an end: an error here would reach the
 * app as a body that is complete. The call ends with the error, and the app's with it.
 */
function countedStream(
  invocation: Invocation,
  bytesMax: number,
): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    async transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes <= bytesMax) return controller.enqueue(chunk);
      const error = bodyTooLarge(invocation.app);
      if (invocation.expire === undefined) throw error;
      invocation.expire(error);
      await new Promise(() => {});
    },
  });
}

function bodyTooLarge(app: AppEntry): IgniteError {
  return new IgniteError({
    code: "resource_exhausted",
    reason: "BODY_TOO_LARGE",
    message: `The body is over the app's limit of ${app.document.limits.bodyMb} MiB.`,
  });
}
