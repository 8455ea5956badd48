/**
 * Unpacks a source archive (tar, gzip) that a stranger made. Only regular files and folders with
 * plain relative names get onto the disk; the first entry that is anything else stops it all.
 * Names are judged before a path is built from them, sizes before bytes are written.
 */
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Parser, type ReadEntry } from "tar";
import { IgniteError } from "../core/errors.ts";
import { sourceExpandedBytesMax, sourceFilesMax, sourcePathBytesMax } from "../core/limits.ts";

/** Bounds of an archive; the platform's own unless a test asks for less. */
export interface ArchiveLimits {
  expandedBytes: number;
  /** Of files, and of folders. */
  files: number;
  pathBytes: number;
}

const LIMITS: ArchiveLimits = {
  expandedBytes: sourceExpandedBytesMax,
  files: sourceFilesMax,
  pathBytes: sourcePathBytesMax,
};
const NAME_BYTES_MAX = 255; // Of a file or folder, in every file system we meet
const DECOMPRESSION_RATIO_MAX = 1_000; // Text reaches about 100; gzip of zeros 1032
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
const BAD_CHARACTERS = /[\u0000-\u001f\u007f\\\ufffd]/;

/**
 * Writes the files of `archive` below `directory`, which must be empty. Fails with
 * ARCHIVE_REJECTED, naming the entry; what was written until then is the caller's to remove.
 */
export async function unpackArchive(
  archive: Readable,
  directory: string,
  options: { signal?: AbortSignal; limits?: ArchiveLimits } = {},
): Promise<{ files: number; bytes: number }> {
  const unpacking = new Unpacking(directory, options.limits ?? LIMITS);
  const parser = new Parser({
    strict: true,
    maxDecompressionRatio: DECOMPRESSION_RATIO_MAX,
    onReadEntry: (entry) => unpacking.accept(entry, (error) => parser.abort(error)),
  });
  try {
    await feed(archive, parser, unpacking, options.signal);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw unpacking.failure ?? asRejection(error);
  }
  return { files: unpacking.files, bytes: unpacking.bytes };
}

async function feed(
  archive: Readable,
  parser: Parser,
  unpacking: Unpacking,
  signal: AbortSignal | undefined,
): Promise<void> {
  await pipeline(archive, parser as unknown as NodeJS.WritableStream, signal ? { signal } : {});
  await unpacking.done();
}

class Unpacking {
  files = 0;
  bytes = 0;
  failure: IgniteError | undefined;
  readonly #directory: string;
  readonly #limits: ArchiveLimits;
  readonly #seen = new Set<string>();
  readonly #folders = new Set<string>();
  #writing: Promise<void> = Promise.resolve();

  constructor(directory: string, limits: ArchiveLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  accept(entry: ReadEntry, stop: (error: Error) => void): void {
    const problem = this.#problemWith(entry);
    if (problem !== undefined) {
      this.failure ??= rejected(entry.path, problem);
      entry.resume();
      return stop(this.failure);
    }
    if (entry.type === "Directory") return void entry.resume();
    // The parser goes on once an entry is read, which may be before its file is closed.
    const before = this.#writing;
    const writing = this.#write(entry).catch((error: unknown) => {
      this.failure ??= isConflict(error)
        ? rejected(entry.path, "it is a file and a folder at once")
        : diskError(error);
      entry.resume();
      stop(this.failure);
    });
    this.#writing = writing.then(() => before);
  }

  async done(): Promise<void> {
    await this.#writing;
    if (this.failure !== undefined) throw this.failure;
  }

  #problemWith(entry: ReadEntry): string | undefined {
    const { path, size, type } = entry;
    this.files += 1;
    this.bytes += size;
    if (this.files > this.#limits.files) return `there are more than ${this.#limits.files} entries`;
    if (this.bytes > this.#limits.expandedBytes) {
      return `the files have more than ${this.#limits.expandedBytes} bytes`;
    }
    if (type !== "File" && type !== "OldFile" && type !== "Directory") {
      return `it is a ${type.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase()}`;
    }
    const name = path.replace(/^\.\//, "").replace(/\/$/, "");
    if (type === "Directory" && (name === "" || name === ".")) return undefined;
    const problem = this.#nameProblem(name);
    if (problem !== undefined) return problem;
    if (this.#seen.has(name) && type !== "Directory") return "it is there twice";
    this.#seen.add(name);
    this.#countFolders(type === "Directory" ? `${name}/` : name);
    return this.#folders.size > this.#limits.files
      ? `there are more than ${this.#limits.files} folders`
      : undefined;
  }

  /** One file may name hundreds, and each is as dear to the disk as a file. */
  #countFolders(name: string): void {
    for (let at = name.lastIndexOf("/"); at > 0; at = name.lastIndexOf("/", at - 1)) {
      const folder = name.slice(0, at);
      if (this.#folders.has(folder)) return;
      this.#folders.add(folder);
    }
  }

  #nameProblem(name: string): string | undefined {
    if (name.startsWith("/")) return "its path is absolute";
    if (Buffer.byteLength(name) > this.#limits.pathBytes) {
      return `its path is longer than ${this.#limits.pathBytes} bytes`;
    }
    if (name.includes("\ufffd")) return "its name is not UTF-8";
    if (BAD_CHARACTERS.test(name)) return "its name has a control character or a backslash";
    const parts = name.split("/");
    if (parts.includes("..")) return "its path leaves the folder";
    if (parts.some((part) => Buffer.byteLength(part) > NAME_BYTES_MAX)) {
      return `a name in its path is longer than ${NAME_BYTES_MAX} bytes`;
    }
    if (parts.includes(".") || parts.includes("")) return "its path is not in its plain form";
    return undefined;
  }

  async #write(entry: ReadEntry): Promise<void> {
    const target = join(this.#directory, entry.path.replace(/^\.\//, ""));
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    const file = createWriteStream(target, { flags: "wx", mode: 0o644 });
    await pipeline(entry as unknown as NodeJS.ReadableStream, file);
  }
}

function diskError(error: unknown): IgniteError {
  if ((error as NodeJS.ErrnoException).code !== "ENOSPC") return IgniteError.from(error);
  return new IgniteError({
    code: "unavailable",
    reason: "STORE_FULL",
    message: "There is no room left to unpack the source.",
    cause: error,
  });
}

function isConflict(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["EEXIST", "ENOTDIR", "EISDIR"].includes(code);
}

function rejected(path: string, why: string): IgniteError {
  const shown = JSON.stringify(path.slice(0, 200));
  return new IgniteError({
    code: "invalid_argument",
    reason: "ARCHIVE_REJECTED",
    message: `The source archive was refused at entry ${shown}: ${why}.`,
    hint: "Pack plain files and folders only, with relative names.",
    details: { entry: path.slice(0, 200) },
  });
}

function asRejection(error: unknown): IgniteError {
  if (error instanceof IgniteError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new IgniteError({
    code: "invalid_argument",
    reason: "ARCHIVE_REJECTED",
    message: `The source archive is damaged or is no gzip-compressed tar: ${why.slice(0, 200)}.`,
    hint: "Pack it again.",
    cause: error,
  });
}
