/**
 * The edge's cache of artifacts. A file exists only with the bytes of its digest: it is checked
 * while it is written and renamed into place. The least recently used go when room is short.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { IgniteError } from "../../../core/errors.ts";
import { type Digest, isDigest } from "../../../core/ids.ts";
import { artifactBytesMax } from "../../../core/limits.ts";

/** Opens an artifact where it is kept for good. Fails with CONTROL_UNAVAILABLE or NOT_FOUND. */
export type FetchArtifact = (digest: Digest) => Promise<Readable>;

/** Content-addressed files with a bound on their total size. */
export class ArtifactCache {
  readonly #folder: string;
  readonly #fetch: FetchArtifact;
  readonly #bytesMax: number;
  /** Sizes in order of use, the oldest first. */
  readonly #sizes = new Map<Digest, number>();
  readonly #running = new Map<Digest, Promise<void>>();
  #bytes = 0;

  constructor(options: { folder: string; fetch: FetchArtifact; bytesMax: number }) {
    this.#folder = options.folder;
    this.#fetch = options.fetch;
    this.#bytesMax = options.bytesMax;
  }

  /** Notes what is on disk and removes what a crash left behind. */
  async load(): Promise<void> {
    await rm(join(this.#folder, "new"), { recursive: true, force: true });
    await mkdir(join(this.#folder, "new"), { recursive: true, mode: 0o700 });
    const files: { digest: Digest; size: number; usedMs: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      if (!isDigest(name)) continue;
      const { size, atimeMs } = await stat(join(this.#folder, name));
      files.push({ digest: name, size, usedMs: atimeMs });
    }
    for (const { digest, size } of files.toSorted((a, b) => a.usedMs - b.usedMs)) {
      this.#note(digest, size);
    }
  }

  /** How many bytes and files are kept. */
  get stats(): { files: number; bytes: number } {
    return { files: this.#sizes.size, bytes: this.#bytes };
  }

  /** Brings an artifact onto this disk. Fails as {@link FetchArtifact}, or BLOB_DIGEST_MISMATCH. */
  async ensure(digest: Digest): Promise<void> {
    const size = this.#sizes.get(digest);
    if (size !== undefined) return this.#touch(digest, size);
    const running = this.#running.get(digest) ?? this.#download(digest);
    this.#running.set(digest, running);
    try {
      await running;
    } finally {
      this.#running.delete(digest);
    }
  }

  /** Forgets a file whose bytes turned out to be damaged. */
  async drop(digest: Digest): Promise<void> {
    const size = this.#sizes.get(digest);
    if (size === undefined) return;
    this.#sizes.delete(digest);
    this.#bytes -= size;
    await rm(join(this.#folder, digest), { force: true });
  }

  /** The bytes of an artifact, fetched when they are not here; fails as {@link ensure}. */
  async open(digest: Digest): Promise<{ size: number; stream: Readable }> {
    await this.ensure(digest);
    const size = this.#sizes.get(digest) ?? 0;
    return { size, stream: createReadStream(join(this.#folder, digest)) };
  }

  /** As {@link open}, all of them at once: for small ones a fraction of the time. */
  async read(digest: Digest): Promise<Buffer> {
    await this.ensure(digest);
    return readFile(join(this.#folder, digest));
  }

  /** The size of an artifact that is here. */
  sizeOf(digest: Digest): number | undefined {
    return this.#sizes.get(digest);
  }

  async #download(digest: Digest): Promise<void> {
    const temporary = join(this.#folder, "new", digest);
    const hash = createHash("sha256");
    let size = 0;
    const check = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        size += chunk.length;
        done(size > artifactBytesMax ? mismatch(digest, "it is too large") : null, chunk);
      },
    });
    try {
      await pipeline(
        await this.#fetch(digest),
        check,
        createWriteStream(temporary, { mode: 0o600 }),
      );
      if (hash.digest("hex") !== digest) throw mismatch(digest, "other bytes came");
      await rename(temporary, join(this.#folder, digest));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    this.#note(digest, size);
    await this.#makeRoom(digest);
  }

  #note(digest: Digest, size: number): void {
    this.#sizes.set(digest, size);
    this.#bytes += size;
  }

  #touch(digest: Digest, size: number): void {
    this.#sizes.delete(digest);
    this.#sizes.set(digest, size);
  }

  async #makeRoom(newest: Digest): Promise<void> {
    for (const digest of Array.from(this.#sizes.keys())) {
      if (this.#bytes <= this.#bytesMax || digest === newest) return;
      await this.drop(digest);
    }
  }
}

function mismatch(digest: Digest, what: string): IgniteError {
  return new IgniteError({
    code: "data_loss",
    reason: "BLOB_DIGEST_MISMATCH",
    message: "The app's code could not be fetched intact.",
    internal: `artifact ${digest}: ${what}`,
  });
}
