/**
 * Errors of the API as callers see them: one class, whether the answer came by Connect or as
 * `application/problem+json`.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type Diagnostic,
  DiagnosticSchema,
  FailureSchema,
} from "../proto/gen/ignite/v1/compile_pb.ts";
import { ErrorInfoSchema } from "../proto/gen/ignite/v1/error_pb.ts";

/** Connect's codes by their wire names. */
export type ApiCode =
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

/** What an {@link IgniteApiError} is made from. */
export interface ApiErrorInit {
  code: ApiCode;
  /** Stable name such as `APP_EXISTS`; see docs/errors.md. */
  reason: string;
  message: string;
  hint?: string | undefined;
  diagnostics?: readonly Diagnostic[];
  /** Stack of the app's own error, in terms of its source. */
  stackOfApp?: string | undefined;
  requestId?: string | undefined;
  cause?: unknown;
}

/** Everything that a call to Ignite can fail with. */
export class IgniteApiError extends Error {
  readonly code: ApiCode;
  readonly reason: string;
  /** What to do next, when the platform knows. */
  readonly hint: string | undefined;
  /** Errors and warnings of a compile, with their places in the source. */
  readonly diagnostics: readonly Diagnostic[];
  readonly stackOfApp: string | undefined;
  /** Names the request in the platform's log. */
  readonly requestId: string | undefined;

  constructor(init: ApiErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = "IgniteApiError";
    this.code = init.code;
    this.reason = init.reason;
    this.hint = init.hint;
    this.diagnostics = init.diagnostics ?? [];
    this.stackOfApp = init.stackOfApp;
    this.requestId = init.requestId;
  }

  /** Turns what a client threw into an IgniteApiError. */
  static from(caught: unknown): IgniteApiError {
    if (caught instanceof IgniteApiError) return caught;
    return fromConnect(ConnectError.from(caught));
  }
}

function fromConnect(error: ConnectError): IgniteApiError {
  const [info] = error.findDetails(ErrorInfoSchema);
  const [failure] = error.findDetails(FailureSchema);
  if (error.cause instanceof IgniteApiError) return error.cause;
  if (UNANSWERED.test(error.rawMessage)) return withoutControl(error);
  const code = nameOfCode(error.code);
  const header = (name: string) => error.metadata.get(name) ?? undefined;
  return new IgniteApiError({
    code,
    reason: info?.reason || header("ignite-reason") || code.toUpperCase(),
    message: error.rawMessage || code.replaceAll("_", " "),
    hint: info?.hint || header("ignite-hint"),
    diagnostics: error.findDetails(DiagnosticSchema),
    stackOfApp: failure?.stack || undefined,
    requestId: info?.requestId || header("ignite-request-id"),
    cause: error.cause ?? error,
  });
}

/** What a Connect client makes of a problem document, such as the front's. */
const UNANSWERED = /^HTTP 50[234]$/;

/** The error of a call that the front answered in place of the control plane. */
function withoutControl(error: ConnectError): IgniteApiError {
  return new IgniteApiError({
    code: "unavailable",
    reason: "CONTROL_UNAVAILABLE",
    message: "The control plane does not answer. Published apps go on; try again later.",
    requestId: error.metadata.get("ignite-request-id") ?? undefined,
    cause: error,
  });
}

/** `InvalidArgument` as `invalid_argument`. */
function nameOfCode(code: Code): ApiCode {
  const name = Code[code].replaceAll(/(?<=.)[A-Z]/g, (letter) => `_${letter}`);
  return name.toLowerCase() as ApiCode;
}

const CODE_OF_STATUS: Readonly<Record<number, ApiCode>> = {
  400: "invalid_argument",
  401: "unauthenticated",
  403: "permission_denied",
  404: "not_found",
  409: "aborted",
  413: "resource_exhausted",
  429: "resource_exhausted",
  499: "canceled",
  501: "unimplemented",
  503: "unavailable",
  504: "deadline_exceeded",
};

/**
 * The error in an HTTP answer that is not a success: a problem document where there is one, else
 * the status alone. Reads the body.
 */
export async function errorOfResponse(response: Response): Promise<IgniteApiError> {
  const text = await response.text().catch(() => "");
  const problem = parseProblem(text);
  const code = CODE_OF_STATUS[response.status] ?? (response.status < 500 ? "unknown" : "internal");
  const hint = response.headers.get("ignite-hint") ?? undefined;
  const detail = problem?.detail ?? problem?.title ?? `The platform answered ${response.status}.`;
  return new IgniteApiError({
    code,
    reason: problem?.reason ?? code.toUpperCase(),
    message:
      hint !== undefined && detail.endsWith(` ${hint}`)
        ? detail.slice(0, -hint.length - 1)
        : detail,
    hint,
    requestId: problem?.instance ?? response.headers.get("ignite-request-id") ?? undefined,
  });
}

interface ProblemFields {
  reason?: string;
  title?: string;
  detail?: string;
  instance?: string;
}

function parseProblem(text: string): ProblemFields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const entries = Object.entries(value).filter(([, field]) => typeof field === "string");
    return Object.fromEntries(entries) as ProblemFields;
  } catch {
    return undefined;
  }
}

/** The error of a request that got no answer at all. */
export function unreachable(url: string, cause: unknown): IgniteApiError {
  return new IgniteApiError({
    code: "unavailable",
    reason: "CONTROL_UNAVAILABLE",
    message: `No Ignite answers at ${url}.`,
    hint: "Start one with `ignite up`, or name another with --api or IGNITE_API.",
    cause,
  });
}
