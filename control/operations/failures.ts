/** The failures that many operations share, worded once. */
import { IgniteError, type Reason } from "../../core/errors.ts";

/** What is absent and what the caller may not see, which look the same. */
export function notFound(what: string, hint?: string): IgniteError {
  return new IgniteError({
    code: "not_found",
    reason: "NOT_FOUND",
    message: `There is no ${what}.`,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** A field whose rule the descriptors cannot express. `field` is its path in the request. */
export function invalidArgument(field: string, message: string): IgniteError {
  return new IgniteError({
    code: "invalid_argument",
    reason: "INVALID_ARGUMENT",
    message: `${field}: ${message}`,
    details: { field },
  });
}

/** A state in which the call cannot be done. */
export function failedPrecondition(reason: Reason, message: string, hint?: string): IgniteError {
  return new IgniteError({
    code: "failed_precondition",
    reason,
    message,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The caller, or another one at the same time, works from an old state. */
export function etagMismatch(what: string): IgniteError {
  return new IgniteError({
    code: "aborted",
    reason: "ETAG_MISMATCH",
    message: `The ${what} was changed by somebody else.`,
    hint: "Read it again and repeat the call with its new etag.",
  });
}

/** Whether a store refused a change because the row had moved on. */
export function isEtagMismatch(caught: unknown): boolean {
  return caught instanceof IgniteError && caught.reason === "ETAG_MISMATCH";
}

/** A call of the API that this release does not serve. */
export function notImplemented(method: string): IgniteError {
  return new IgniteError({
    code: "unimplemented",
    reason: "NOT_IMPLEMENTED",
    message: `${method} is not part of this release.`,
  });
}
