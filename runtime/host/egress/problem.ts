/** Errors as a cell gets them. A header tells them from answers of the other side. */
import type { ServerResponse } from "node:http";
import { IgniteError, problemOf } from "../../../core/errors.ts";
import { egressErrorHeader } from "../../bindings/egress/error-header.ts";

/** Answers with a problem document, or cuts the answer off when it has begun. */
export function sendProblem(response: ServerResponse, caught: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const error = IgniteError.from(caught);
  const status = statusOf(error);
  const body = JSON.stringify(problemOf(error, "", status));
  response.writeHead(status, {
    "content-type": "application/problem+json",
    "content-length": Buffer.byteLength(body),
    [egressErrorHeader]: error.reason,
    ...(status === 429 ? { "retry-after": "1" } : {}),
  });
  response.end(body);
}

/** What went wrong on the other side, from the error of a socket. */
export function connectionFailed(host: string, cause: unknown): IgniteError {
  if (cause instanceof IgniteError) return cause;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new IgniteError({
    code: "unavailable",
    reason: "EGRESS_FAILED",
    message: `${host} did not answer: ${code === undefined ? message : `${message} (${code})`}.`,
    cause,
  });
}

function statusOf(error: IgniteError): number {
  switch (error.reason) {
    case "EGRESS_FAILED":
      return 502;
    case "LOOP_DETECTED":
      return 508;
    case "OVERLOADED":
      return 429;
    case "EGRESS_DENIED":
      return 403;
    default:
      return 500;
  }
}
