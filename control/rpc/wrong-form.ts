/** Requests that Connect turns away by method or content type alone, with an empty body. */
import type { DescMethod } from "@bufbuild/protobuf";
import { errorToJson } from "@connectrpc/connect/protocol-connect";
import { IgniteError } from "../../core/errors.ts";
import { describe } from "./errors.ts";

const METHOD_NOT_ALLOWED = 405;
const UNSUPPORTED_MEDIA_TYPE = 415;

/** The answer, with what the method takes when it was turned away for that. */
export function explainWrongForm(
  response: Response,
  method: DescMethod,
  requestId: string,
): Response {
  const { status } = response;
  if (status !== METHOD_NOT_ALLOWED && status !== UNSUPPORTED_MEDIA_TYPE) return response;
  const name = `${method.parent.name}/${method.name}`;
  const what = status === METHOD_NOT_ALLOWED ? "POST" : contentTypesOf(method);
  const error = new IgniteError({
    code: "invalid_argument",
    reason: "INVALID_ARGUMENT",
    message: `${name} takes ${what}.`,
    hint: "The page /docs shows how it is called.",
  });
  const described = describe(error, requestId, []);
  const headers = new Headers(described.metadata);
  headers.set("content-type", "application/json");
  if (status === METHOD_NOT_ALLOWED) headers.set("allow", "POST");
  return new Response(JSON.stringify(errorToJson(described, undefined)), { status, headers });
}

function contentTypesOf({ methodKind }: DescMethod): string {
  return methodKind === "unary"
    ? "the content-type application/json or application/proto"
    : "the content-type application/connect+json or application/connect+proto, where five bytes " +
        "(0 and the length) stand before each message";
}
