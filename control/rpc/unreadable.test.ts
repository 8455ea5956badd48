import type { JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { encodeEnvelope } from "@connectrpc/connect/protocol";
import { endStreamFromJson, errorFromJson } from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import { beforeAll, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../proto/gen/ignite/v1/error_pb.ts";
import { type TestControl, testControl } from "../testing/control.ts";

const FRAME_HEADER_BYTES = 5;
const garbage = new Uint8Array([0xff, 0xff, 0xff, 0x07]);
const hugeFrame = new Uint8Array([0, 0x7f, 0xff, 0xff, 0xff]);
const text = (value: string) => new TextEncoder().encode(value);
const framed = (bytes: Uint8Array) => encodeEnvelope(0, bytes);
const tail = text('{"app": {"name": "local/hello"}}');
const twice = (bytes: Uint8Array<ArrayBuffer>) => new Uint8Array([...bytes, ...bytes]);

let control: TestControl;
beforeAll(async () => {
  control = await testControl();
});

type Call = [what: string, method: string, contentType: string, body: Uint8Array<ArrayBuffer>];

const unreadable: Call[] = [
  ["Connect JSON that does not parse", "CreateApp", "application/json", text('{"name":')],
  ["Connect JSON of another type", "CreateApp", "application/json", text('{"name": 5}')],
  ["Connect binary garbage", "CreateApp", "application/proto", garbage],
  ["Connect streaming JSON", "TailLogs", "application/connect+json", framed(text('{"app": 5}'))],
  ["Connect streaming garbage", "TailLogs", "application/connect+proto", framed(garbage)],
  ["a Connect stream cut short", "TailLogs", "application/connect+proto", hugeFrame.slice(0, 3)],
  ["a Connect stream of two", "TailLogs", "application/connect+json", twice(framed(tail))],
  ["an empty Connect stream", "TailLogs", "application/connect+proto", new Uint8Array()],
  ["gRPC-Web garbage", "CreateApp", "application/grpc-web+proto", framed(garbage)],
  ["gRPC-Web JSON of another type", "CreateApp", "application/grpc-web+json", framed(text("5"))],
  ["gRPC-Web without a message", "CreateApp", "application/grpc-web+proto", new Uint8Array()],
  ["gRPC-Web streaming garbage", "TailLogs", "application/grpc-web+proto", framed(garbage)],
];

test.each(unreadable)("%s answers invalid_argument, a reason and a hint", async (...call) => {
  const [, method, contentType, body] = call;
  const { error, requestId } = await failureOf(method, { "content-type": contentType }, body);
  expect(error.code).toBe(Code.InvalidArgument);
  const [info] = error.findDetails(ErrorInfoSchema);
  expect(info).toMatchObject({ reason: "INVALID_ARGUMENT", retryable: false, requestId });
  expect(info?.hint).not.toBe("");
});

test.each([
  ["Connect", "CreateApp", { "content-type": "application/proto", "content-length": "99999999" }],
  ["Connect streaming", "TailLogs", { "content-type": "application/connect+proto" }],
  ["gRPC-Web", "CreateApp", { "content-type": "application/grpc-web+proto" }],
])("%s says BODY_TOO_LARGE before it has read the body", async (_, method, headers) => {
  const { error } = await failureOf(method, headers, hugeFrame);
  expect(error.code).toBe(Code.ResourceExhausted);
  const [info] = error.findDetails(ErrorInfoSchema);
  expect(info?.reason).toBe("BODY_TOO_LARGE");
  expect(info?.hint).toContain("/blobs/");
});

test.each([
  ["CreateApp", "application/proto", "content-encoding"],
  ["TailLogs", "application/connect+proto", "connect-content-encoding"],
  ["CreateApp", "application/grpc-web+proto", "grpc-encoding"],
])("%s as %s in an unknown compression says NOT_IMPLEMENTED", async (method, type, header) => {
  const headers = { "content-type": type, [header]: "br" };
  const { error } = await failureOf(method, headers, framed(new Uint8Array()));
  expect(error.code).toBe(Code.Unimplemented);
  expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("NOT_IMPLEMENTED");
});

async function failureOf(
  method: string,
  headers: Record<string, string>,
  body: Uint8Array<ArrayBuffer>,
): Promise<{ error: ConnectError; requestId: string }> {
  const path = `/ignite.v1.ComputeService/${method}`;
  const response = await control.fetch(path, { method: "POST", headers, body });
  const requestId = response.headers.get("ignite-request-id") ?? "";
  const bytes = new Uint8Array(await response.arrayBuffer());
  const type = headers["content-type"] ?? "";
  return { error: errorIn(type, bytes), requestId };
}

/** The error in an answer of that protocol. */
function errorIn(contentType: string, bytes: Uint8Array): ConnectError {
  const none = new ConnectError("no error", Code.Unknown);
  if (contentType.startsWith("application/grpc-web")) {
    return findTrailerError(trailerParse(bytes.slice(FRAME_HEADER_BYTES))) ?? none;
  }
  if (contentType.startsWith("application/connect")) {
    return endStreamFromJson(bytes.slice(FRAME_HEADER_BYTES)).error ?? none;
  }
  return errorFromJson(JSON.parse(new TextDecoder().decode(bytes)) as JsonValue, undefined, none);
}

const wrongForms: [
  what: string,
  method: string,
  init: RequestInit,
  status: number,
  says: RegExp,
][] = [
  [
    "no content-type",
    "CreateApp",
    { method: "POST" },
    415,
    /takes the content-type application\/json/,
  ],
  [
    "a unary content-type for a stream",
    "TailLogs",
    { method: "POST", headers: { "content-type": "application/json" }, body: "{}" },
    415,
    /takes the content-type application\/connect\+json/,
  ],
  ["GET of what changes something", "CreateApp", {}, 405, /takes POST/],
];

test.each(wrongForms)("%s is answered with what the method takes", async (...row) => {
  const [, method, init, status, says] = row;
  const answer = await control.fetch(`/ignite.v1.ComputeService/${method}`, init);
  expect(answer.status).toBe(status);
  expect(answer.headers.get("ignite-reason")).toBe("INVALID_ARGUMENT");
  const fallback = new ConnectError("no error at all");
  const error = errorFromJson((await answer.json()) as JsonValue, answer.headers, fallback);
  expect(error).toMatchObject({
    code: Code.InvalidArgument,
    rawMessage: expect.stringMatching(says),
  });
});

test("an app that is named by a bare text is answered with how to name it", async () => {
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: '{"app": "local/hello"}' };
  const answer = await control.fetch("/ignite.v1.ComputeService/GetApp", init);
  expect(answer.headers.get("ignite-hint")).toBe('Name the app as {"name": "organization/app"}.');
});
