/** The one place where errors meet the wire. */
import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import { ValidationError, violationsToProto } from "@bufbuild/protovalidate";
import { IgniteError, isRetryable } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { FailureSchema } from "../../proto/gen/ignite/v1/compile_pb.ts";
import { ErrorInfoSchema } from "../../proto/gen/ignite/v1/error_pb.ts";
import { callScope } from "./call.ts";
import { spokenMessage } from "./patterns.ts";

type Detail = ConstructorParameters<typeof ConnectError>[3];

/** Whether a hint can be a header's value; one that cannot stands in the body only. */
export function fitsHeader(hint: string): boolean {
  return /^[ -~]+$/.test(hint);
}

/** Translates what operations throw, before the first message and in the midst of a stream. */
export function translateErrors(log: Log): Interceptor {
  return (next) => async (request) => {
    const { requestId } = request.contextValues.get(callScope);
    const translate = (caught: unknown) => connectErrorOf(caught, requestId, log);
    try {
      const response = await next(request);
      if (!response.stream) return response;
      return { ...response, message: translated(response.message, translate) };
    } catch (caught) {
      throw translate(caught);
    }
  };
}

/** Describes anything caught to a caller; logs what is for us alone. */
export function connectErrorOf(caught: unknown, requestId: string, log: Log): ConnectError {
  if (caught instanceof ConnectError) return caught;
  if (caught instanceof ValidationError) return violationError(caught, requestId);
  const error = IgniteError.from(caught);
  if (error.internal !== undefined) {
    log.error(error.message, { requestId, reason: error.reason, internal: error.internal });
  }
  return describe(error, requestId, []);
}

/** Translates what the source fails with. What is thrown into it is a caller that has left. */
function translated<Message>(
  messages: AsyncIterable<Message>,
  translate: (caught: unknown) => ConnectError,
): AsyncIterable<Message> {
  const iterator = messages[Symbol.asyncIterator]();
  const end = async () => {
    await iterator.return?.();
    return { done: true as const, value: undefined };
  };
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        return iterator.next().catch((caught: unknown) => {
          throw translate(caught);
        });
      },
      throw: end,
      return: end,
    }),
  };
}

function violationError(caught: ValidationError, requestId: string): ConnectError {
  for (const violation of caught.violations) violation.message = spokenMessage(violation.message);
  const violations = caught.violations.map((violation) =>
    violation.toString().replace(` [${violation.ruleId}]`, ""),
  );
  const error = new IgniteError({
    code: "invalid_argument",
    reason: "INVALID_ARGUMENT",
    message: violations.join("; "),
  });
  const [value, desc] = violationsToProto(caught.violations);
  return describe(error, requestId, [{ desc, value }]);
}

/** An error of ours as Connect sends it, with `extra` details behind its own. */
export function describe(
  { code, reason, message, hint = "", details }: IgniteError,
  requestId: string,
  extra: NonNullable<Detail>,
): ConnectError {
  const { stack, reason: cause, ...facts } = details;
  const { retryAfterSeconds } = facts;
  const retryable = isRetryable(code);
  const info = { reason, hint, requestId, retryable, details: facts };
  const failure =
    stack === undefined
      ? []
      : [{ desc: FailureSchema, value: { reason: cause ?? reason, message, stack } }];
  return new ConnectError(
    message,
    codeFromString(code),
    {
      "ignite-reason": reason,
      "ignite-request-id": requestId,
      ...(retryAfterSeconds !== undefined && { "retry-after": retryAfterSeconds }),
      ...(fitsHeader(hint) && { "ignite-hint": hint }),
    },
    [{ desc: ErrorInfoSchema, value: info }, ...failure, ...extra],
  );
}
