/**
 * Streams that live on between requests. The client names one by its baton, which is random, good
 * for one request, and replaced in the answer. A stream that nobody asks for is closed.
 */
import { randomBytes } from "node:crypto";
import { HranaError } from "./protocol.ts";
import type { Stream } from "./stream.ts";

/** Bounds of a {@link StreamTable}. */
export interface StreamTableOptions {
  /** After this long without a request a stream is closed and its transaction rolled back. */
  idleMs: number;
  /** Streams kept at once. */
  streamsMax: number;
}

interface Entry {
  stream: Stream;
  timer: NodeJS.Timeout;
}

const BATON_BYTES = 24; // Cannot be guessed

/** The streams that wait for their next request. One that runs is not in the table. */
export class StreamTable {
  readonly #options: StreamTableOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: StreamTableOptions) {
    this.#options = options;
  }

  /** Takes a stream out for a request. Fails with STREAM_EXPIRED for an unknown baton. */
  take(baton: string): Stream {
    const entry = this.#entries.get(baton);
    if (entry === undefined) {
      throw new HranaError("STREAM_EXPIRED", "The stream has expired, or its baton was used.");
    }
    clearTimeout(entry.timer);
    this.#entries.delete(baton);
    return entry.stream;
  }

  /** Fails with STREAM_LIMIT when no further stream can be kept. */
  assertRoom(): void {
    if (this.#entries.size < this.#options.streamsMax) return;
    throw new HranaError("STREAM_LIMIT", "Too many streams are open.");
  }

  /** A new baton, for answers that must begin before the stream has done its work. */
  reserve(): string {
    return randomBytes(BATON_BYTES).toString("base64url");
  }

  /** Keeps a stream for its next request. Answers the baton; null when the stream is closed. */
  keep(stream: Stream, baton = this.reserve()): string | null {
    if (stream.closed) return null;
    const timer = setTimeout(() => {
      this.#entries.delete(baton);
      stream.close();
    }, this.#options.idleMs);
    this.#entries.set(baton, { stream, timer });
    return baton;
  }

  /** Closes every stream. */
  close(): void {
    for (const { stream, timer } of this.#entries.values()) {
      clearTimeout(timer);
      stream.close();
    }
    this.#entries.clear();
  }
}
