/** What the regional daemon needs of the rest of the platform. */
import type { Readable } from "node:stream";
import type { Digest } from "../core/ids.ts";

/** Keeps blobs by their SHA-256. Any method may fail with STORE_UNAVAILABLE or STORE_FULL. */
export interface BlobStore {
  /** Streams a blob. Fails with SOURCE_MISSING when it is not there. */
  read(digest: Digest, signal: AbortSignal): Promise<Readable>;
  /** Keeps a blob; doing it again changes nothing. */
  write(digest: Digest, bytes: Uint8Array): Promise<void>;
}
