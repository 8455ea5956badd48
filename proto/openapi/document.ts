/**
 * The control API as OpenAPI 3.1: what the Connect protocol makes of each method with JSON bodies.
 * Every call is a POST; a call without side effects may also be sent as a GET.
 */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Level } from "@bufbuild/protobuf/wkt";
import type { Schema } from "./rules.ts";
import { describe, SchemaSet } from "./schema.ts";

/** Connect's error codes, in the order of their gRPC numbers. */
const errorCodes = [
  "canceled",
  "unknown",
  "invalid_argument",
  "deadline_exceeded",
  "not_found",
  "already_exists",
  "permission_denied",
  "resource_exhausted",
  "failed_precondition",
  "aborted",
  "out_of_range",
  "unimplemented",
  "internal",
  "unavailable",
  "data_loss",
  "unauthenticated",
];

const connectError: Schema = {
  type: "object",
  title: "Error",
  description: "What a call that failed answers.",
  required: ["code"],
  properties: {
    code: { type: "string", enum: errorCodes, description: "What kind of failure." },
    message: { type: "string", description: "What went wrong, safe to show." },
    details: {
      type: "array",
      description: "Further facts, such as the fields that break their rules.",
      items: {
        type: "object",
        required: ["type", "value"],
        properties: {
          type: { type: "string", description: "Name of the detail's Protobuf message." },
          value: { type: "string", description: "The message in binary form, as base64." },
        },
      },
    },
  },
};

const headers = [
  {
    name: "connect-timeout-ms",
    in: "header",
    description: "Time after which the call is given up, in milliseconds.",
    schema: { type: "integer", minimum: 1 },
  },
];

/** The OpenAPI document of `services`, in their order. */
export function openApiDocument(services: readonly DescService[]): Schema {
  const schemas = new SchemaSet();
  const paths = services.flatMap((service) =>
    service.methods.map((method) => [pathOf(method), pathItem(method, schemas)] as const),
  );
  return {
    openapi: "3.1.0",
    info: {
      title: "Ignite",
      version: "v1",
      description:
        "The control API of Ignite over the Connect protocol. The same methods answer gRPC, " +
        "gRPC-Web and Connect with binary bodies.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ key: [] }],
    tags: services.map((service) => ({ name: service.name, ...describe(service) })),
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "An API key, `igk_…`." },
      },
      responses: {
        error: {
          description: "The call failed.",
          content: { "application/json": { schema: { $ref: "#/components/schemas/error" } } },
        },
      },
      schemas: { error: connectError, ...schemas.toJSON() },
    },
  };
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function pathItem(method: DescMethod, schemas: SchemaSet): Schema {
  const input = schemas.refer(method.input);
  const output = schemas.refer(method.output);
  if (method.methodKind !== "unary") {
    return { post: streamOperation(method, input, output) };
  }
  const responses = responsesWith("application/json", output);
  const requestBody = { required: true, content: { "application/json": { schema: input } } };
  const post = { ...operation(method), parameters: headers, requestBody, responses };
  if (method.idempotency !== Level.NO_SIDE_EFFECTS) return { post };
  const parameters = [...queryOf(input), ...headers];
  const get = { ...operation(method), operationId: `${operationId(method)}_get` };
  return { get: { ...get, parameters, responses }, post };
}

/** A streaming call: bodies are messages, each after a flag byte and four bytes of its length. */
function streamOperation(method: DescMethod, input: Schema, output: Schema): Schema {
  const type = "application/connect+json";
  return {
    ...operation(method),
    parameters: headers,
    requestBody: { required: true, content: { [type]: { schema: input } } },
    responses: responsesWith(type, output),
    "x-connect-streaming": "server",
  };
}

function operation(method: DescMethod): Schema {
  return {
    tags: [method.parent.name],
    operationId: operationId(method),
    summary: method.name,
    ...describe(method),
  };
}

function operationId(method: DescMethod): string {
  return `${method.parent.name}_${method.name}`;
}

function queryOf(input: Schema): Schema[] {
  const message = { "application/json": { schema: input } };
  const text = { type: "string" };
  return [
    { name: "message", in: "query", required: true, content: message },
    { name: "encoding", in: "query", required: true, schema: { ...text, const: "json" } },
    { name: "connect", in: "query", schema: { ...text, const: "v1" } },
  ];
}

function responsesWith(contentType: string, output: Schema): Schema {
  return {
    "200": { description: "Success.", content: { [contentType]: { schema: output } } },
    default: { $ref: "#/components/responses/error" },
  };
}
