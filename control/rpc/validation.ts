/** Checks each request against the rules in its descriptor, before a handler sees it. */
import { createValidator } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import { invalidArgument } from "../operations/failures.ts";
import { findNul } from "./nul.ts";

/**
 * Makes the interceptor. A broken rule throws `ValidationError`, with the paths of fields; a text
 * with a NUL character fails with INVALID_ARGUMENT.
 */
export function validateRequests(): Interceptor {
  const validator = createValidator();
  const check = (schema: Parameters<typeof validator.validate>[0], message: unknown) => {
    const result = validator.validate(schema, message as never);
    if (result.kind !== "valid") throw result.error;
    const nul = findNul(message);
    if (nul !== undefined) throw invalidArgument(nul, "it has a NUL character.");
  };
  return (next) => (request) => {
    if (!request.stream) {
      check(request.method.input, request.message);
      return next(request);
    }
    const { input } = request.method;
    return next({
      ...request,
      message: checked(request.message, (message) => check(input, message)),
    });
  };
}

async function* checked<Message>(
  messages: AsyncIterable<Message>,
  check: (message: Message) => void,
): AsyncGenerator<Message> {
  for await (const message of messages) {
    check(message);
    yield message;
  }
}
