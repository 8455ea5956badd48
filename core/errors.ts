/** The closed set of codes a caller can act on; Connect's sixteen, by their wire names. */
export type Code =
  | "canceled"
  | "unknown"
  | "invalid_argument"
  | "deadline_exceeded"
  | "not_found"
  | "already_exists"
  | "permission_denied"
  | "resource_exhausted"
  | "failed_precondition"
  | "aborted"
  | "out_of_range"
  | "unimplemented"
  | "internal"
  | "unavailable"
  | "data_loss"
  | "unauthenticated";

/** Why something failed, finer than its code. Stable names: `docs/errors.md` explains each. */
export type Reason =
  // The caller's request
  | "INVALID_ARGUMENT" // A field breaks its rule
  | "NAME_INVALID" // An organization, app, secret or key name outside the grammar
  | "MANIFEST_INVALID" // ignite.toml does not parse or breaks a rule
  | "SOURCE_MISSING" // The named source blob was never uploaded
  | "ARCHIVE_REJECTED" // A source archive that is damaged, too large, or leaves its folder
  | "BLOB_DIGEST_MISMATCH" // Uploaded bytes do not have the digest they were sent under
  | "BLOB_RANGE_INVALID" // An upload continues at the wrong offset
  | "IDEMPOTENCY_CONFLICT" // The same idempotency key came with another request
  | "PAGE_TOKEN_INVALID" // A page token that this list did not issue
  | "NOT_IMPLEMENTED" // Part of the API that this release does not serve
  // Who is asking
  | "CREDENTIAL_MISSING" // No API key
  | "CREDENTIAL_INVALID" // Unknown, malformed, expired or revoked API key
  | "PERMISSION_DENIED" // The key's role does not allow this
  | "RATE_LIMITED" // Too many calls of an organization, or wrong keys from an address
  // State
  | "NOT_FOUND" // Absent, or not for the caller to see
  | "APP_EXISTS" // The organization already has an app of this name
  | "ORGANIZATION_EXISTS" // The name is taken
  | "DOMAIN_TAKEN" // Another app answers at this domain
  | "ETAG_MISMATCH" // Somebody changed the resource since it was read
  | "VERSION_NOT_READY" // The version has not compiled, or failed
  | "NO_PREVIOUS_VERSION" // Nothing to roll back to
  | "DRAFT_EMPTY" // Compile was asked before any source was pushed
  | "LAST_OWNER_KEY" // Without this key nobody could make keys any more
  | "QUOTA_EXCEEDED" // The organization has used up an allowance
  // Compiling
  | "COMPILE_FAILED" // The source has errors; see the diagnostics
  | "COMPILE_TIMED_OUT" // The compiler used up its time
  | "COMPILE_OUT_OF_MEMORY" // The compiler used up its memory
  | "BUNDLE_TOO_LARGE" // The compiled app is over the limit
  | "BUNDLE_REJECTED" // The artifact is damaged or needs something this host lacks
  | "LOAD_FAILED" // The module threw, looped or crashed while it was loaded
  // Invoking
  | "HOST_INVALID" // The Host header is not a hostname
  | "REQUEST_INVALID" // A request target or header that is refused
  | "METHOD_NOT_ALLOWED" // The app's limits exclude the method
  | "APP_NOT_FOUND" // No app answers at this address
  | "APP_PAUSED" // Paused after repeated failures
  | "BODY_TOO_LARGE" // Over the body limit of the app or the API
  | "INPUT_REJECTED" // The body breaks the app's input schema
  | "OUTPUT_REJECTED" // The guest's answer breaks the app's output schema
  | "GUEST_ERROR" // The guest threw, or gave no Response
  | "GUEST_TIMED_OUT" // The guest did not answer within its time
  | "CPU_EXCEEDED" // The guest used up its CPU time
  | "MEMORY_EXCEEDED" // The guest used up its memory
  | "CELL_LOST" // The process that ran the request ended
  | "LOOP_DETECTED" // A request came back to the edge too many times
  | "SUBREQUESTS_EXCEEDED" // The guest called out more often than it may
  | "EGRESS_DENIED" // The guest called an address it may not reach
  | "EGRESS_FAILED" // An address that the guest called did not answer
  // The platform
  | "OVERLOADED" // Try again later
  | "CONTROL_UNAVAILABLE" // The control plane does not answer
  | "REGION_UNAVAILABLE" // The regional daemon does not answer
  | "EDGE_UNAVAILABLE" // No edge took part
  | "STORE_UNAVAILABLE" // The database or blob store does not answer
  | "STORE_FULL" // No room left where state or blobs are kept
  | "STORE_CORRUPT" // Stored data is damaged
  | "SCHEMA_NEWER" // The database was written by a newer Ignite
  | "PORT_IN_USE" // Another program listens there
  | "ALREADY_RUNNING" // Another Ignite uses this data folder
  | "TOOL_MISSING" // A program that is needed is not installed
  | "INTERNAL"; // A mistake of ours

/** What {@link IgniteError} is made from. `message` is for the caller, `internal` for the log. */
export interface IgniteErrorInit {
  code: Code;
  reason: Reason;
  message: string;
  internal?: string;
  cause?: unknown;
  /** What to do next, one sentence. */
  hint?: string;
  /** Machine-readable extras that are safe to show: field paths, limits. */
  details?: Readonly<Record<string, string>>;
}

/** The one error type. Free of transport: only `rpc/errors.ts` and the CLI translate it. */
export class IgniteError extends Error {
  readonly code: Code;
  readonly reason: Reason;
  readonly internal: string | undefined;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, string>>;

  constructor(init: IgniteErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = "IgniteError";
    this.code = init.code;
    this.reason = init.reason;
    this.internal = init.internal;
    this.hint = init.hint;
    this.details = init.details ?? {};
  }

  /** Turns anything caught into an IgniteError; what is not one already becomes INTERNAL. */
  static from(caught: unknown): IgniteError {
    if (caught instanceof IgniteError) return caught;
    const internal = caught instanceof Error ? (caught.stack ?? caught.message) : String(caught);
    return new IgniteError({
      code: "internal",
      reason: "INTERNAL",
      message: "An internal error happened. The request id is in the log.",
      internal,
      cause: caught,
    });
  }
}

const STATUS_OF: Readonly<Record<Code, number>> = {
  canceled: 499,
  unknown: 500,
  invalid_argument: 400,
  deadline_exceeded: 504,
  not_found: 404,
  already_exists: 409,
  permission_denied: 403,
  resource_exhausted: 429,
  failed_precondition: 400,
  aborted: 409,
  out_of_range: 400,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  data_loss: 500,
  unauthenticated: 401,
};

/** The HTTP status of a code, as Connect maps it. */
export function httpStatusOf(code: Code): number {
  return STATUS_OF[code];
}

/** Whether the same call may succeed later without a change by the caller. */
export function isRetryable(code: Code): boolean {
  return code === "unavailable" || code === "aborted" || code === "resource_exhausted";
}

/** The body of an `application/problem+json` answer (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  reason: Reason;
}

/**
 * Describes an error for an HTTP caller. `requestId` becomes `instance`; `status` overrides the
 * code's own where HTTP has a finer one (405, 413).
 */
export function problemOf(error: IgniteError, requestId: string, status?: number): Problem {
  const name = error.reason.toLowerCase().replaceAll("_", "-");
  return {
    type: `https://ignite.dev/errors/${name}`,
    title: error.reason
      .toLowerCase()
      .replaceAll("_", " ")
      .replace(/^./, (first) => first.toUpperCase()),
    status: status ?? httpStatusOf(error.code),
    detail: error.hint === undefined ? error.message : `${error.message} ${error.hint}`,
    instance: requestId,
    reason: error.reason,
  };
}
