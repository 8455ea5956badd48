/** The organizations' package caches on disk: bounded in size, and gone when nobody uses them. */
import { lstat, mkdir, readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { packageCacheBytesMax } from "../core/limits.ts";

const UNUSED_MS_MAX = 30 * 24 * 60 * 60 * 1000;
const BLOCK_BYTES = 512; // The unit of stat, whatever the disk's is
const STATS_MAX = 32;

/** All caches of a daemon, each with a folder of notes about it beside it. */
export class PackageCaches {
  readonly #directory: string;
  readonly #bytesMax: number;

  constructor(directory: string, bytesMax: number = packageCacheBytesMax) {
    this.#directory = directory;
    this.#bytesMax = bytesMax;
  }

  /** The folder of an organization's cache, marked as used. */
  async use(organizationId: string): Promise<string> {
    const cache = join(this.#directory, organizationId);
    await mkdir(cache, { recursive: true, mode: 0o755 });
    await utimes(cache, new Date(), new Date());
    return cache;
  }

  /** Removes a cache that has grown too large. No compile of the organization may run meanwhile. */
  async bound(organizationId: string): Promise<void> {
    const cache = join(this.#directory, organizationId);
    if ((await bytesBelow(cache, this.#bytesMax)) <= this.#bytesMax) return;
    for (const folder of [`${cache}.fetched`, cache]) {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  /** Removes the caches of organizations that have not compiled for long. */
  async dropUnused(): Promise<void> {
    for (const name of await readdir(this.#directory).catch(() => [])) {
      const path = join(this.#directory, name);
      const { mtimeMs } = await stat(path);
      if (Date.now() - mtimeMs > UNUSED_MS_MAX) await rm(path, { recursive: true, force: true });
    }
  }
}

/**
 * What a folder takes of the disk; counting ends where it is more than `enough`. Files may go
 * meanwhile, since processes that were killed take a moment to end.
 */
async function bytesBelow(folder: string, enough: number): Promise<number> {
  let bytes = 0;
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined && bytes <= enough; next = folders.pop()) {
    const entries = await readdir(next, { withFileTypes: true }).catch(() => []);
    const paths = entries.map(({ name }) => join(next, name));
    folders.push(...paths.filter((_, at) => entries[at]?.isDirectory()));
    for (let at = 0; at < paths.length; at += STATS_MAX) {
      const some = paths.slice(at, at + STATS_MAX);
      const sizes = await Promise.all(some.map((path) => lstat(path).catch(() => ({ blocks: 0 }))));
      bytes += sizes.reduce((sum, { blocks }) => sum + blocks * BLOCK_BYTES, 0);
    }
  }
  return bytes;
}
