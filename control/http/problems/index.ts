/** Answers errors of everything that is no RPC as `application/problem+json` (RFC 9457). */
import type { ErrorHandler, NotFoundHandler } from "hono";
import { IgniteError, problemOf, type Reason } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import { notFound } from "../../operations/failures.ts";
import { fitsHeader } from "../../rpc/errors.ts";
import type { AppContext, AppEnvironment } from "../environment.ts";

/** Describes what a handler threw; what is for us alone goes to the log. */
export function problems(log: Log): ErrorHandler<AppEnvironment> {
  return (caught, context) => {
    const error = IgniteError.from(caught);
    const requestId = context.get("requestId") ?? "";
    if (error.internal !== undefined) {
      log.error(error.message, { requestId, reason: error.reason, internal: error.internal });
    }
    return problemResponse(context, error);
  };
}

/** Answers for paths that nobody serves. */
export const unknownPath: NotFoundHandler<AppEnvironment> = (context) =>
  problemResponse(context, notFound(`${context.req.method} ${context.req.path}`));

/** An error as an answer; `status` where HTTP has a finer one than the code. */
export function problemResponse(
  context: AppContext,
  error: IgniteError,
  status: number | undefined = FINER_STATUSES[error.reason],
): Response {
  const problem = problemOf(error, context.get("requestId") ?? "", status);
  const headers = new Headers({ "content-type": "application/problem+json" });
  const { retryAfterSeconds } = error.details;
  if (retryAfterSeconds !== undefined) headers.set("retry-after", retryAfterSeconds);
  if (error.hint !== undefined && fitsHeader(error.hint)) headers.set("ignite-hint", error.hint);
  if (problem.status === 401) headers.set("www-authenticate", "Bearer");
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

const FINER_STATUSES: Readonly<Partial<Record<Reason, number>>> = {
  BODY_TOO_LARGE: 413,
  STORE_FULL: 507,
};
