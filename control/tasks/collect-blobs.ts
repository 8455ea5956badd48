/**
 * Deletes blobs that no draft and no version names. A blob is spared while it is young, since it is
 * uploaded before it is named. Owners are forgotten first and names looked at again after that, so
 * that an upload which starts meanwhile sends the bytes anew.
 */
import type { Digest } from "../../core/ids.ts";
import type { Ports } from "../ports.ts";

const GRACE_MS = 60 * 60 * 1000;

/** Answers how many blobs it deleted. */
export async function collectBlobs(ports: Ports): Promise<number> {
  const beforeMs = ports.clock.nowMs() - GRACE_MS;
  let deleted = 0;
  let cursor: string | undefined;
  do {
    const { digests, next } = await ports.blobs.list(beforeMs, cursor);
    const unnamed = await unreferenced(ports, digests);
    if (unnamed.length > 0) {
      await ports.stores.blobOwners.forget(unnamed);
      const garbage = await unreferenced(ports, unnamed);
      for (const digest of garbage) await ports.blobs.delete(digest, beforeMs);
      deleted += garbage.length;
    }
    cursor = next;
  } while (cursor !== undefined);
  return deleted;
}

async function unreferenced(ports: Ports, digests: readonly Digest[]): Promise<Digest[]> {
  if (digests.length === 0) return [];
  const named = await ports.stores.blobOwners.referenced(digests);
  return digests.filter((digest) => !named.has(digest));
}
