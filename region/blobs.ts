/** The blob store behind the store's socket. */
import type { Readable } from "node:stream";
import { Agent, type Dispatcher, request } from "undici";
import { IgniteError, type Reason } from "../core/errors.ts";
import type { Digest } from "../core/ids.ts";
import type { BlobStore } from "./ports.ts";

const TIMEOUT_MS = 30_000;

/** A client of the store; `close` ends its connections. */
export function socketBlobStore(options: { socket: string; token: string }): BlobStore & {
  close(): Promise<void>;
} {
  const dispatcher = new Agent({
    connect: { socketPath: options.socket },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  const call = async (
    digest: Digest,
    init: Pick<Dispatcher.RequestOptions, "method" | "body" | "signal">,
  ) => {
    const headers = { authorization: `Bearer ${options.token}` };
    const url = `http://store/blobs/${digest}`;
    try {
      return await request(url, { ...init, headers, dispatcher } as Parameters<typeof request>[1]);
    } catch (error) {
      if (error instanceof Error && error.name === "AbortError") throw error;
      throw storeFailure("STORE_UNAVAILABLE", "The blob store does not answer.", error);
    }
  };
  return {
    async read(digest, signal): Promise<Readable> {
      const answer = await call(digest, { method: "GET", signal });
      if (answer.statusCode === 200) return answer.body;
      await answer.body.dump();
      if (answer.statusCode !== 404) throw unexpected(answer.statusCode);
      throw new IgniteError({
        code: "failed_precondition",
        reason: "SOURCE_MISSING",
        message: "The source archive was never uploaded, or was removed since.",
        hint: "Upload it again.",
      });
    },
    async write(digest, bytes) {
      const answer = await call(digest, { method: "PUT", body: bytes });
      await answer.body.dump();
      if (answer.statusCode !== 200 && answer.statusCode !== 201)
        throw unexpected(answer.statusCode);
    },
    close: () => dispatcher.destroy(),
  };
}

function unexpected(status: number): IgniteError {
  return status === 507
    ? storeFailure("STORE_FULL", "There is no room left for the artifact.", undefined)
    : storeFailure("STORE_UNAVAILABLE", `The blob store answered ${status}.`, undefined);
}

function storeFailure(reason: Reason, message: string, cause: unknown): IgniteError {
  return new IgniteError({ code: "unavailable", reason, message, cause });
}
