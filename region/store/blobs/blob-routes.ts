/**
 * Blobs over HTTP:
 *
 *     PUT    /blobs/{sha256}                 201 stored, 200 was there, 422 other digest, 507 full
 *     PUT    … Content-Range: bytes a-b/n    308 with Range: bytes=0-{last} until all has come
 *     GET    /blobs/{sha256}                 200, 206 with Range, 304, 404, 416
 *     HEAD   /blobs/{sha256}                 as GET; 308 with Range while an upload is incomplete
 *     DELETE /blobs/{sha256}?before=ms       204; a blob stored again since then stays
 *     GET    /blobs?before=ms&cursor=&limit= {items: [{digest, size, storedMs}], cursor}
 *
 * The header `ignite-upload-owner` keeps the incomplete uploads of organizations apart. With
 * `ignite-upload-verify: 1` the bytes are asked for and checked even when the blob is there, so
 * that knowing a digest does not pass for having the bytes.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { IgniteError } from "../../../core/errors.ts";
import { type Digest, isDigest } from "../../../core/ids.ts";
import { sourceBytesMax } from "../../../core/limits.ts";
import { bodyOf, sendError, sendJson } from "../http.ts";
import { type BlobFolder, type BlobInfo, notFound } from "./blob-folder.ts";

const SIZE_HEADER = "ignite-blob-bytes"; // What a stored blob takes, whatever its sender said
const PAGE_SIZE_MAX = 1_000; // As other lists
const DRAINED_BYTES_MAX = sourceBytesMax; // No tenant may send more, who does gets no answer

/** Answers a request whose token was checked; false for a path that is not of blobs. */
export async function handleBlobs(
  folder: BlobFolder,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const url = new URL(request.url ?? "/", "http://store");
  if (url.pathname === "/blobs" && request.method === "GET") {
    await list(folder, url.searchParams, response);
    return true;
  }
  const digest = /^\/blobs\/([^/]+)$/.exec(url.pathname)?.[1];
  if (digest === undefined) return false;
  if (!isDigest(digest)) throw invalid("The path does not end with a SHA-256 in lower case.");
  switch (request.method) {
    case "PUT":
      await put(folder, digest, request, response);
      return true;
    case "GET":
    case "HEAD":
      await get(folder, digest, request, response);
      return true;
    case "DELETE":
      await folder.delete(digest, milliseconds(url.searchParams, Infinity));
      response.writeHead(204).end();
      return true;
    default:
      return false;
  }
}

async function put(
  folder: BlobFolder,
  digest: Digest,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const range = request.headers["content-range"];
  const verify = request.headers["ignite-upload-verify"] === "1";
  try {
    if (range === undefined) {
      const isNew = await drained(request, folder.write(digest, bodyOf(request), verify));
      const size = (await folder.find(digest))?.size ?? 0;
      response.writeHead(isNew ? 201 : 200, { [SIZE_HEADER]: size }).end();
      return;
    }
    await putPiece(folder, digest, { range, verify }, request, response);
  } catch (error) {
    const found = IgniteError.from(error);
    if (found.reason !== "BLOB_DIGEST_MISMATCH") throw error;
    sendError(response, found, 422);
  }
}

async function putPiece(
  folder: BlobFolder,
  digest: Digest,
  { range, verify }: { range: string; verify: boolean },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const match = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15})$/.exec(range);
  if (match === null) throw invalid("Content-Range must read bytes first-last/total.");
  const owner = ownerOf(request);
  const [, first, , total] = match;
  if (first === undefined) {
    const isStored = !verify && (await folder.find(digest)) !== undefined;
    if (isStored) response.writeHead(201).end();
    else incomplete(response, await folder.uploaded(digest, owner));
    return;
  }
  const piece = { offset: Number(first), total: Number(total), owner, verify };
  const uploaded = await drained(request, folder.writePiece(digest, piece, bodyOf(request)));
  if (uploaded === piece.total) response.writeHead(201, { [SIZE_HEADER]: uploaded }).end();
  else incomplete(response, uploaded);
}

async function get(
  folder: BlobFolder,
  digest: Digest,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const isUpload = request.method === "HEAD" && request.headers["ignite-upload-verify"] === "1";
  const found = isUpload ? undefined : await folder.find(digest);
  if (found === undefined) {
    const uploaded =
      request.method === "HEAD" ? await folder.uploaded(digest, ownerOf(request)) : 0;
    if (uploaded > 0) return incomplete(response, uploaded);
    throw notFound(digest);
  }
  const etag = `"${digest}"`;
  if (request.headers["if-none-match"] === etag) {
    response.writeHead(304, { etag }).end();
    return;
  }
  const range = rangeOf(request.headers.range, found);
  if (range === "unsatisfiable") {
    response.writeHead(416, { "content-range": `bytes */${found.size}` }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: found.size - 1 };
  const hasBody = request.method === "GET" && start <= end;
  const body = hasBody ? await folder.read(digest, start, end) : undefined;
  response.writeHead(range === undefined ? 200 : 206, {
    "content-type": "application/octet-stream",
    "content-length": end - start + 1,
    "accept-ranges": "bytes",
    etag,
    "cache-control": "immutable, max-age=31536000",
    ...(range && { "content-range": `bytes ${range.start}-${range.end}/${found.size}` }),
  });
  if (body === undefined) response.end();
  else await pipeline(body, response);
}

async function list(folder: BlobFolder, query: URLSearchParams, response: ServerResponse) {
  const limit = Math.min(Number(query.get("limit") ?? PAGE_SIZE_MAX), PAGE_SIZE_MAX);
  if (!Number.isInteger(limit) || limit < 1) throw invalid("limit must be a positive integer.");
  const cursor = query.get("cursor") ?? "";
  const page = await folder.list(milliseconds(query, Infinity), cursor, limit);
  sendJson(response, 200, { items: page.items, cursor: page.cursor ?? null });
}

/**
 * The outcome of an upload, after the rest of its body: a sender that is answered while it still
 * sends may see a broken pipe in place of the answer.
 */
async function drained<Outcome>(request: IncomingMessage, work: Promise<Outcome>) {
  try {
    return await work;
  } finally {
    let left = DRAINED_BYTES_MAX;
    for await (const { length } of bodyOf(request)) {
      left -= length;
      if (left < 0) break;
    }
  }
}

function incomplete(response: ServerResponse, uploaded: number): void {
  response.writeHead(308, uploaded > 0 ? { range: `bytes=0-${uploaded - 1}` } : {}).end();
}

/** One range as RFC 9110 has it. Anything else, several of them included, reads as no range. */
function rangeOf(
  header: string | undefined,
  { size }: BlobInfo,
): { start: number; end: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (start > end) return "unsatisfiable";
  return { start, end };
}

function ownerOf(request: IncomingMessage): string {
  const owner = request.headers["ignite-upload-owner"];
  return typeof owner === "string" ? owner : "";
}

function milliseconds(query: URLSearchParams, absent: number): number {
  const text = query.get("before");
  if (text === null) return absent;
  if (!/^\d{1,15}$/.test(text)) throw invalid("before must be a time in milliseconds.");
  return Number(text);
}

function invalid(message: string): IgniteError {
  return new IgniteError({ code: "invalid_argument", reason: "INVALID_ARGUMENT", message });
}
