/** Blobs of tenants by digest: upload, in one piece or several, and read back. */
import { Hono } from "hono";
import { IgniteError, type IgniteErrorInit } from "../../../core/errors.ts";
import { readBlob, uploadBlob } from "../../operations/blobs.ts";
import type { Ports } from "../../ports.ts";
import { type AppContext, type AppEnvironment, callOf } from "../environment.ts";
import { problemResponse } from "../problems/index.ts";

/** How the store's refusals are told to tenants, by status. */
const REFUSALS: Readonly<Record<number, Pick<IgniteErrorInit, "code" | "reason" | "message">>> = {
  404: { code: "not_found", reason: "NOT_FOUND", message: "There is no such blob." },
  413: {
    code: "resource_exhausted",
    reason: "BODY_TOO_LARGE",
    message: "The blob is too large.",
  },
  416: {
    code: "out_of_range",
    reason: "BLOB_RANGE_INVALID",
    message: "The range is not there; for an upload, HEAD tells where to go on.",
  },
  422: {
    code: "invalid_argument",
    reason: "BLOB_DIGEST_MISMATCH",
    message: "The bytes do not have the digest they were sent under.",
  },
  507: { code: "resource_exhausted", reason: "STORE_FULL", message: "The blob store is full." },
};

/**
 * `PUT`, `GET` and `HEAD` of `/blobs/{sha256}`.
 * @example app.route("/blobs", blobs(ports))
 */
export function blobs(ports: Ports): Hono<AppEnvironment> {
  const app = new Hono<AppEnvironment>();
  app.put("/:digest", async (context) => {
    const call = await callOf(context, ports, "develop", "upload sources");
    const { digest } = context.req.param();
    return answer(context, await uploadBlob(call, ports, digest, context.req.raw));
  });
  app.get("/:digest", async (context) => {
    const call = await callOf(context, ports, "read", "read sources");
    const { digest } = context.req.param();
    return answer(context, await readBlob(call, ports, digest, context.req.raw));
  });
  return app;
}

/** Bytes of tenants are for saving, never for a browser to run on this origin. */
async function answer(context: AppContext, response: Response): Promise<Response> {
  const refusal = REFUSALS[response.status];
  if (refusal !== undefined) {
    await response.body?.cancel();
    return problemResponse(context, new IgniteError(refusal), response.status);
  }
  response.headers.set("content-type", "application/octet-stream");
  response.headers.set("content-disposition", "attachment");
  response.headers.set("x-content-type-options", "nosniff");
  return response;
}
