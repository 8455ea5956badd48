/** Errors as the caller sees them: RFC 9457 documents. */
import { IgniteError, problemOf } from "../../core/errors.ts";

/** The answer for an error. `status` overrides the code's own; `headers` are added. */
export function problemResponse(
  error: IgniteError,
  requestId: string,
  status?: number,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const problem = problemOf(error, requestId, status);
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}

/** No app answers at this address. */
export function appNotFound(detail: string): IgniteError {
  return new IgniteError({ code: "not_found", reason: "APP_NOT_FOUND", message: detail });
}

/** The app did not answer in time. */
export function timedOut(timeoutMs: number): IgniteError {
  return new IgniteError({
    code: "deadline_exceeded",
    reason: "GUEST_TIMED_OUT",
    message: `The app did not answer within ${timeoutMs} ms.`,
  });
}
