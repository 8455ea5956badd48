/**
 * Requests that the protocol cannot read fail in Connect itself, some before any interceptor. Each
 * of its handlers ends the call's signal with the error before it writes the answer, in every
 * protocol; that is where such an error gets what ours have.
 */
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { IgniteError } from "../../core/errors.ts";
import { describe } from "./errors.ts";

/** Has the errors of a call that come from the protocol carry a reason and a hint. */
export function explainUnreadable({ signal }: HandlerContext, requestId: string): void {
  signal.addEventListener("abort", () => {
    const caught: unknown = signal.reason;
    if (!(caught instanceof ConnectError) || caught.metadata.has("ignite-reason")) return;
    const error = unreadable(caught);
    if (error !== undefined) adopt(caught, describe(error, requestId, []));
  });
}

/** What an error of the protocol means; undefined when it is not about the request. */
function unreadable({ code, rawMessage: message }: ConnectError): IgniteError | undefined {
  const isCompression = message.includes("compress");
  switch (code) {
    case Code.ResourceExhausted: {
      const hint = "Upload large bytes with `PUT /blobs/{sha256}` and name them by digest.";
      return new IgniteError({
        code: "resource_exhausted",
        reason: "BODY_TOO_LARGE",
        message,
        hint,
      });
    }
    case Code.InvalidArgument:
      return wrongBody(message);
    case Code.Internal: // It blames itself for bytes that are no message
      return message.startsWith("parse ") || isCompression ? wrongBody(message) : undefined;
    case Code.Unimplemented: {
      if (!isCompression) return wrongBody(message); // Not exactly one message
      const hint = "Send the body without compression.";
      return new IgniteError({ code: "unimplemented", reason: "NOT_IMPLEMENTED", message, hint });
    }
    default:
      return undefined;
  }
}

function wrongBody(message: string): IgniteError {
  return new IgniteError({
    code: "invalid_argument",
    reason: "INVALID_ARGUMENT",
    message,
    hint: message.includes("ignite.v1.AppRef from JSON")
      ? 'Name the app as {"name": "organization/app"}.'
      : "Send one message of the method, in the encoding that content-type says; see /docs.",
  });
}

/** Connect writes this very error to the wire, so it is changed in place. */
function adopt(error: ConnectError, described: ConnectError): void {
  const { code, details } = described;
  Object.assign(error, { code, details });
  for (const [name, value] of described.metadata) error.metadata.set(name, value);
}
