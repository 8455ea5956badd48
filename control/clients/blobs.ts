/** Blobs in the store, by HTTP. */
import { type Digest, isDigest } from "../../core/ids.ts";
import type { Blobs } from "../ports.ts";
import { type Fetcher, unavailable } from "./http.ts";

const REQUEST_HEADERS = ["content-type", "content-range", "range", "if-none-match", "if-range"];
const RESPONSE_HEADERS = [
  "accept-ranges",
  "content-length",
  "content-range",
  "etag",
  "ignite-blob-bytes",
  "range",
];

/** Makes the client. `token` is the store's bearer. */
export function blobClient(store: Fetcher, token: string): Blobs {
  const call = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const request = new Request(`http://store${path}`, { ...init, redirect: "manual" });
    request.headers.set("authorization", `Bearer ${token}`);
    return store.fetch(request).catch((caught: unknown) => {
      throw storeUnavailable(caught);
    });
  };
  return {
    async forward(digest, { method, headers, body }, upload) {
      const picked = pick(headers, REQUEST_HEADERS);
      if (upload !== undefined) picked.set("ignite-upload-owner", upload.owner);
      if (upload?.verify) picked.set("ignite-upload-verify", "1");
      const response = await call(`/blobs/${digest}`, {
        method,
        headers: picked,
        ...streamed(body),
      });
      return new Response(response.body, {
        status: response.status,
        headers: pick(response.headers, RESPONSE_HEADERS),
      });
    },
    async has(digest) {
      return (await call(`/blobs/${digest}`, { method: "HEAD" })).ok;
    },
    async delete(digest, beforeMs) {
      const response = await call(`/blobs/${digest}?before=${beforeMs}`, { method: "DELETE" });
      if (!response.ok && response.status !== 404) throw storeUnavailable(response.status);
    },
    async list(beforeMs, cursor) {
      const query = new URLSearchParams({ before: String(beforeMs), cursor: cursor ?? "" });
      const response = await call(`/blobs?${query}`);
      if (!response.ok) throw storeUnavailable(response.status);
      const page = (await response.json()) as {
        items: { digest: string }[];
        cursor?: string | null;
      };
      const digests = page.items.map(({ digest }) => digest).filter(isDigest) as Digest[];
      return { digests, next: page.cursor ?? undefined };
    },
  };
}

function pick(headers: Headers, names: readonly string[]): Headers {
  const picked = new Headers();
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) picked.set(name, value);
  }
  return picked;
}

/** `duplex` is asked for by Node alone, where the tests run. */
function streamed(body: Request["body"]): RequestInit {
  return body === null ? {} : ({ body, duplex: "half" } as RequestInit);
}

function storeUnavailable(cause: unknown) {
  return unavailable("STORE_UNAVAILABLE", "The blob store does not answer.", cause);
}
