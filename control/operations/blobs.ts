/** Blobs of tenants: uploads belong to the organization that sent the bytes, and to it alone. */
import { type Digest, isDigest } from "../../core/ids.ts";
import { IgniteError } from "../../core/errors.ts";
import { sourceBytesMax } from "../../core/limits.ts";
import type { CallContext } from "../context.ts";
import type { Ports } from "../ports.ts";
import { invalidArgument, notFound } from "./failures.ts";
import { checkStorageQuota } from "./quota.ts";

const CREATED: ReadonlySet<number> = new Set([200, 201]);
const UPLOAD_INCOMPLETE = 308;

/**
 * Passes an upload on. The store checks the bytes, also those of a blob that it has from somebody
 * else: only who sent them whole becomes an owner. Fails with INVALID_ARGUMENT, BODY_TOO_LARGE or
 * QUOTA_EXCEEDED before any byte is read.
 */
export async function uploadBlob(
  { principal }: CallContext,
  ports: Ports,
  digest: string,
  request: Request,
): Promise<Response> {
  const checked = digestOf(digest);
  const { blobOwners } = ports.stores;
  const sizeBytes = sizeOf(request.headers);
  if (sizeBytes > sourceBytesMax) throw tooLarge(sizeBytes);
  const isOwner = await blobOwners.has(principal.org, checked);
  if (!isOwner) await checkStorageQuota(ports, principal.org, sizeBytes);
  const upload = { owner: principal.org, verify: !isOwner };
  const response = await ports.blobs.forward(checked, request, upload);
  if (CREATED.has(response.status) && !isOwner) {
    const storedBytes = Number(response.headers.get("ignite-blob-bytes") ?? sizeBytes);
    await blobOwners.add(principal.org, checked, storedBytes, ports.clock.nowMs());
  }
  return response;
}

/** How large the blob is going to be; 0 when the sender does not say. */
function sizeOf(headers: Headers): number {
  const total = /\/(\d{1,15})$/.exec(headers.get("content-range") ?? "")?.[1];
  return Number(total ?? headers.get("content-length") ?? 0);
}

/**
 * Passes a read on; `HEAD` of an upload in pieces tells how far it is. Fails with NOT_FOUND for a
 * blob that the organization did not upload.
 */
export async function readBlob(
  { principal }: CallContext,
  ports: Ports,
  digest: string,
  request: Request,
): Promise<Response> {
  const checked = digestOf(digest);
  const { org: owner } = principal;
  const isOwner = await ports.stores.blobOwners.has(owner, checked);
  if (!isOwner && request.method !== "HEAD") throw notFound(`blob ${checked}`);
  const response = await ports.blobs.forward(checked, request, { owner, verify: !isOwner });
  if (isOwner || response.status === UPLOAD_INCOMPLETE) return response;
  await response.body?.cancel();
  throw notFound(`blob ${checked}`);
}

function digestOf(text: string): Digest {
  if (isDigest(text)) return text;
  throw invalidArgument("digest", "it is not a SHA-256 in lower-case hexadecimal.");
}

function tooLarge(sizeBytes: number): IgniteError {
  return new IgniteError({
    code: "resource_exhausted",
    reason: "BODY_TOO_LARGE",
    message: `The blob has ${sizeBytes} bytes; ${sourceBytesMax} are allowed.`,
  });
}
