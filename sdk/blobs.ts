import type { Blob256 } from "./archive.ts";
import { errorOfResponse } from "./errors.ts";
import { type Connection, request } from "./connection.ts";

/** Whether the platform already has the blob for the caller's organization. */
export async function hasBlob(connection: Connection, digest: string): Promise<boolean> {
  const response = await request(connection, `/blobs/${digest}`, { method: "HEAD" });
  await response.body?.cancel();
  if (response.ok) return true;
  if (response.status === 404) return false;
  throw await errorOfResponse(response);
}

const STATUS_CREATED = 201;
const BYTES_WITHOUT_ASKING_MAX = 64 * 1024; // Sending them costs less than another round trip

/**
 * Uploads a blob unless the platform has it. Answers whether it was new there. Fails with
 * BLOB_DIGEST_MISMATCH when they were damaged on the way, STORE_FULL when there is no room.
 */
export async function uploadBlob(connection: Connection, blob: Blob256): Promise<boolean> {
  const asks = blob.bytes.length > BYTES_WITHOUT_ASKING_MAX;
  if (asks && (await hasBlob(connection, blob.digest))) return false;
  const response = await request(connection, `/blobs/${blob.digest}`, {
    method: "PUT",
    headers: { "content-type": "application/octet-stream" },
    body: blob.bytes,
  });
  if (!response.ok) throw await errorOfResponse(response);
  await response.body?.cancel();
  return response.status === STATUS_CREATED;
}
