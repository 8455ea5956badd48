/** Checks bodies against an app's JSON Schema. Reads them into memory, up to a bound. */
import { type Schema, Validator } from "@cfworker/json-schema";
import { type Code, IgniteError, type Reason } from "../../core/errors.ts";
import { schemaBodyBytesMax } from "../../core/limits.ts";
import type { AppEntry } from "./documents.ts";

const ERRORS_SHOWN_MAX = 5;
const validators = new WeakMap<AppEntry, { input?: Validator; output?: Validator }>();

/** The request with its body read and found right. Fails with INPUT_REJECTED or BODY_TOO_LARGE. */
export async function checkInput(app: AppEntry, request: Request): Promise<Request> {
  if (request.method === "GET" || request.method === "HEAD") return request;
  const body = await readBounded(request.body, "The body");
  const complaint = complaintOf(validatorOf(app, "input"), body);
  if (complaint !== undefined)
    throw rejected("invalid_argument", "INPUT_REJECTED", "body", complaint);
  return new Request(request, { body });
}

/**
 * The response with its body read and found right, when it succeeded. Fails with OUTPUT_REJECTED.
 */
export async function checkOutput(app: AppEntry, response: Response): Promise<Response> {
  if (!response.ok || response.webSocket) return response;
  const body = await readBounded(response.body, "The answer");
  const complaint = complaintOf(validatorOf(app, "output"), body);
  if (complaint !== undefined) throw rejected("internal", "OUTPUT_REJECTED", "answer", complaint);
  return new Response(body, response);
}

function validatorOf(app: AppEntry, side: "input" | "output"): Validator {
  const known = validators.get(app) ?? {};
  validators.set(app, known);
  known[side] ??= new Validator(app.document.schema[side] as Schema, "2020-12", true);
  return known[side];
}

/** What is wrong, deepest place first; undefined when nothing is. */
function complaintOf(validator: Validator, body: Uint8Array): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body));
  } catch {
    return "it is not JSON";
  }
  const { valid, errors } = validator.validate(value);
  if (valid) return undefined;
  const deepest = errors.toSorted((a, b) => b.instanceLocation.length - a.instanceLocation.length);
  const shown = deepest.slice(0, ERRORS_SHOWN_MAX);
  return shown.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`).join(" ");
}

async function readBounded(
  body: ReadableStream<Uint8Array> | null,
  what: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > schemaBodyBytesMax) {
      throw new IgniteError({
        code: "resource_exhausted",
        reason: "BODY_TOO_LARGE",
        message: `${what} is over ${schemaBodyBytesMax} bytes, the most a schema is checked for.`,
      });
    }
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

function rejected(code: Code, reason: Reason, what: string, complaint: string): IgniteError {
  return new IgniteError({
    code,
    reason,
    message: `The ${what} breaks the app's schema: ${complaint}`,
  });
}
