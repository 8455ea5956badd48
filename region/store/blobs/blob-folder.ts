/**
 * Blobs as files, named by the SHA-256 of what they hold: `ab/cdef…` below the folder, and what
 * is on its way in `tmp`. A file gets its name only when it is whole, verified and on disk, so a
 * reader never meets a half-written one.
 */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  type FileHandle,
  mkdir,
  open,
  opendir,
  readdir,
  rename,
  rm,
  stat,
  utimes,
} from "node:fs/promises";
import { join } from "node:path";
import { IgniteError } from "../../../core/errors.ts";
import { type Digest, isDigest } from "../../../core/ids.ts";
import { orgUploadsMax } from "../../../core/limits.ts";

/** A stored blob. */
export interface BlobInfo {
  digest: Digest;
  size: number;
  /** When it was stored, or last stored again. */
  storedMs: number;
}

/** A page of {@link BlobFolder.list}. */
export interface BlobPage {
  items: readonly BlobInfo[];
  /** Where the next page begins; absent on the last. */
  cursor: string | undefined;
}

/** The next piece of an upload that comes in several. */
export interface UploadPiece {
  /** Where the piece begins, and how long the whole blob is. */
  offset: number;
  total: number;
  /** Keeps the uploads of different owners apart; a finished blob is one for all. */
  owner: string;
  /** Whether the bytes must come even when the blob is there: having them is proven by sending. */
  verify: boolean;
}

const PARTIAL = ".part";
const OWNER_HASH_CHARACTERS = 32;
const PARTIAL_TTL_MS = 24 * 60 * 60 * 1000; // An upload nobody continues

/** The blobs below one folder. Methods fail with STORE_FULL when the disk has no room. */
export class BlobFolder {
  readonly #root: string;
  readonly #bytesMax: number;
  readonly #busy = new Set<string>();
  #sequence = 0;

  private constructor(root: string, bytesMax: number) {
    this.#root = root;
    this.#bytesMax = bytesMax;
  }

  /** Opens the folder, and removes what earlier uploads left behind. */
  static async open(root: string, bytesMax: number): Promise<BlobFolder> {
    const temporary = join(root, "tmp");
    await mkdir(temporary, { recursive: true, mode: 0o700 });
    for (const name of await readdir(temporary)) {
      const path = join(temporary, name);
      if (!name.endsWith(PARTIAL)) await rm(path, { force: true });
    }
    const folder = new BlobFolder(root, bytesMax);
    await folder.#dropAbandoned();
    return folder;
  }

  /** What is known of a blob. */
  async find(digest: Digest): Promise<BlobInfo | undefined> {
    try {
      const { size, mtimeMs } = await stat(this.#pathOf(digest));
      return { digest, size, storedMs: Math.floor(mtimeMs) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Opens a blob from byte `start` to byte `end`, both included. Fails with NOT_FOUND. */
  async read(digest: Digest, start: number, end: number): Promise<NodeJS.ReadableStream> {
    const file = await open(this.#pathOf(digest), "r").catch((error: NodeJS.ErrnoException) => {
      throw error.code === "ENOENT" ? notFound(digest) : error;
    });
    return createReadStream("", { fd: file, start, end });
  }

  /**
   * Stores a blob sent in one go. Answers whether it is new; one that is there already is read only
   * with `verify`. Fails with BLOB_DIGEST_MISMATCH, BODY_TOO_LARGE or STORE_FULL; nothing is kept
   * then.
   */
  async write(digest: Digest, source: AsyncIterable<Buffer>, verify = false): Promise<boolean> {
    if ((await this.#touch(digest)) && !verify) return false;
    this.#sequence += 1;
    const temporary = join(this.#root, "tmp", `${process.pid}-${this.#sequence}`);
    return translated(async () => {
      try {
        const hash = createHash("sha256");
        const file = await open(temporary, "wx", 0o600);
        try {
          await append(file, 0, source, this.#bytesMax, hash);
          assertDigest(hash, digest);
          await file.sync();
        } finally {
          await file.close();
        }
        return await this.#publish(temporary, digest);
      } finally {
        await rm(temporary, { force: true });
      }
    });
  }

  /** How much of an upload in pieces has come. */
  async uploaded(digest: Digest, owner: string): Promise<number> {
    const found = await stat(this.#partialOf(digest, owner)).catch(() => undefined);
    return found?.size ?? 0;
  }

  /**
   * Stores the next piece. Answers how much has come; all of it means that the blob is stored.
   * Fails with BLOB_RANGE_INVALID at another offset than {@link uploaded} tells, or while another
   * request continues the same upload; with BLOB_DIGEST_MISMATCH the upload starts over. An owner
   * has so many uploads at a time: one more takes the place of the one that was continued longest
   * ago, or fails with QUOTA_EXCEEDED while all are being continued.
   */
  async writePiece(
    digest: Digest,
    piece: UploadPiece,
    source: AsyncIterable<Buffer>,
  ): Promise<number> {
    if (piece.total > this.#bytesMax) throw tooLarge(this.#bytesMax);
    if ((await this.#touch(digest)) && !piece.verify) return piece.total;
    const partial = this.#partialOf(digest, piece.owner);
    if (this.#busy.has(partial)) throw rangeInvalid("another request continues this upload");
    this.#busy.add(partial);
    try {
      await this.#makeRoom(partial, piece.owner);
      return await translated(() => this.#appendPiece(digest, partial, piece, source));
    } finally {
      this.#busy.delete(partial);
    }
  }

  /** Removes a blob stored before `beforeMs`. Answers whether one was removed. */
  async delete(digest: Digest, beforeMs = Infinity): Promise<boolean> {
    const found = await this.find(digest);
    if (found === undefined || found.storedMs >= beforeMs) return false;
    await rm(this.#pathOf(digest), { force: true });
    return true;
  }

  /** Lists blobs stored before `beforeMs`, by digest, from after `cursor` on. */
  async list(beforeMs: number, cursor: string, limit: number): Promise<BlobPage> {
    if (cursor === "") await this.#dropAbandoned(); // Whoever lists all is about to tidy up
    const items: BlobInfo[] = [];
    for await (const digest of this.#digestsAfter(cursor)) {
      const info = await this.find(digest);
      if (info === undefined || info.storedMs >= beforeMs) continue;
      items.push(info);
      if (items.length === limit) return { items, cursor: digest };
    }
    return { items, cursor: undefined };
  }

  /** Sees to it that one more upload of the owner is not one too many. */
  async #makeRoom(partial: string, owner: string): Promise<void> {
    const isTheirs = (path: string) => path.startsWith(this.#partialsOf(owner));
    const partials = (await this.#partials()).filter(({ path }) => isTheirs(path));
    if (partials.some(({ path }) => path === partial)) return;
    const begun = new Set(partials.map(({ path }) => path));
    for (const path of this.#busy) if (isTheirs(path)) begun.add(path); // This one among them
    const excess = begun.size - orgUploadsMax;
    if (excess <= 0) return;
    const idle = partials.filter(({ path }) => !this.#busy.has(path));
    if (idle.length < excess) throw tooManyUploads();
    const oldest = idle.toSorted((a, b) => a.writtenMs - b.writtenMs).slice(0, excess);
    for (const { path } of oldest) await rm(path, { force: true });
  }

  async #dropAbandoned(): Promise<void> {
    const beforeMs = Date.now() - PARTIAL_TTL_MS;
    for (const { path, writtenMs } of await this.#partials()) {
      if (writtenMs < beforeMs && !this.#busy.has(path)) await rm(path, { force: true });
    }
  }

  /** The uploads that have begun, of all owners. */
  async #partials(): Promise<{ path: string; writtenMs: number }[]> {
    const temporary = join(this.#root, "tmp");
    const names = (await readdir(temporary)).filter((name) => name.endsWith(PARTIAL));
    const found = names.map(async (name) => {
      const path = join(temporary, name);
      const written = await stat(path).catch(() => undefined); // It may be finished by now
      return written === undefined ? [] : [{ path, writtenMs: written.mtimeMs }];
    });
    return (await Promise.all(found)).flat();
  }

  async #appendPiece(
    digest: Digest,
    partial: string,
    { offset, total }: UploadPiece,
    source: AsyncIterable<Buffer>,
  ): Promise<number> {
    const file = await open(partial, "a+", 0o600);
    try {
      const { size } = await file.stat();
      if (offset !== size) throw rangeInvalid(`the upload continues at byte ${size}`);
      await append(file, size, source, total);
      const { size: uploaded } = await file.stat();
      if (uploaded < total) return uploaded;
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      const hash = createHash("sha256");
      for await (const chunk of createReadStream(partial)) hash.update(chunk as Buffer);
      assertDigest(hash, digest);
      await this.#publish(partial, digest);
    } finally {
      await rm(partial, { force: true });
    }
    return total;
  }

  /** Gives a finished file its name, and sees to it that the name is on disk too. */
  async #publish(temporary: string, digest: Digest): Promise<boolean> {
    const folder = join(this.#root, digest.slice(0, 2));
    const created = await mkdir(folder, { recursive: true, mode: 0o700 });
    const isNew = (await this.find(digest)) === undefined;
    await rename(temporary, this.#pathOf(digest));
    await syncFolder(folder);
    if (created !== undefined) await syncFolder(this.#root);
    return isNew;
  }

  /** Makes a stored blob new again, so that it is not collected before it is named. */
  async #touch(digest: Digest): Promise<boolean> {
    const now = new Date();
    return utimes(this.#pathOf(digest), now, now).then(
      () => true,
      () => false,
    );
  }

  async *#digestsAfter(cursor: string): AsyncGenerator<Digest> {
    const folders = await readdir(this.#root);
    const wanted = (name: string) => /^[0-9a-f]{2}$/.test(name) && name >= cursor.slice(0, 2);
    for (const prefix of folders.filter(wanted).toSorted()) {
      const digests: Digest[] = [];
      for await (const entry of await opendir(join(this.#root, prefix))) {
        const digest = prefix + entry.name;
        if (isDigest(digest) && digest > cursor) digests.push(digest);
      }
      yield* digests.toSorted();
    }
  }

  #pathOf(digest: Digest): string {
    return join(this.#root, digest.slice(0, 2), digest.slice(2));
  }

  #partialOf(digest: Digest, owner: string): string {
    return `${this.#partialsOf(owner)}${digest}${PARTIAL}`;
  }

  /** What the paths of an owner's uploads begin with; names may have what file names may not. */
  #partialsOf(owner: string): string {
    const hash = createHash("sha256").update(owner).digest("hex");
    return join(this.#root, "tmp", `${hash.slice(0, OWNER_HASH_CHARACTERS)}-`);
  }
}

async function append(
  file: FileHandle,
  offset: number,
  source: AsyncIterable<Buffer>,
  bytesMax: number,
  hash?: Hash,
): Promise<void> {
  let position = offset;
  for await (const chunk of source) {
    if (position + chunk.length > bytesMax) throw tooLarge(bytesMax);
    hash?.update(chunk);
    await file.writeFile(chunk);
    position += chunk.length;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function translated<Value>(action: () => Promise<Value>): Promise<Value> {
  try {
    return await action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOSPC" && code !== "EDQUOT") throw error;
    throw new IgniteError({
      code: "resource_exhausted",
      reason: "STORE_FULL",
      message: "There is no room left for the blob.",
      cause: error,
    });
  }
}

function assertDigest(hash: Hash, digest: Digest): void {
  const found = hash.digest("hex");
  if (found === digest) return;
  throw new IgniteError({
    code: "invalid_argument",
    reason: "BLOB_DIGEST_MISMATCH",
    message: `The bytes have the digest ${found}, not ${digest}.`,
  });
}

/** There is no such blob. */
export function notFound(digest: Digest): IgniteError {
  return new IgniteError({
    code: "not_found",
    reason: "NOT_FOUND",
    message: `There is no blob ${digest}.`,
  });
}

function rangeInvalid(what: string): IgniteError {
  return new IgniteError({
    code: "out_of_range",
    reason: "BLOB_RANGE_INVALID",
    message: `The piece does not fit: ${what}.`,
  });
}

function tooManyUploads(): IgniteError {
  return new IgniteError({
    code: "resource_exhausted",
    reason: "QUOTA_EXCEEDED",
    message: `At most ${orgUploadsMax} uploads in pieces may go on at a time.`,
  });
}

function tooLarge(bytesMax: number): IgniteError {
  return new IgniteError({
    code: "resource_exhausted",
    reason: "BODY_TOO_LARGE",
    message: `A blob may have ${bytesMax} bytes at most.`,
  });
}
