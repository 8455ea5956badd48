/** Puts the positions of a guest's stack back to its sources, with the map of its artifact. */
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { buffer } from "node:stream/consumers";
import type { LogRecord } from "../../../core/deployment.ts";
import { decodeBundle } from "../../../core/bundle.ts";
import type { Digest } from "../../../core/ids.ts";
import type { ArtifactCache } from "../documents/artifacts.ts";

const MAPS_MAX = 1_000;
const MAP_BYTES_MAX = 8 * 1024 * 1024; // Reading one holds up this process
const KEPT_BYTES_MAX = 64 * 1024 * 1024; // Of all maps' texts
const PRINTED_STACK = /\n +at /;
/** Bounded everywhere, and tried once for each run of such characters: guests write stacks too. */
const FRAME = /(?<![\w@./-])([\w@./-]{1,256}\.m?js):(\d{1,9}):(\d{1,9})/g;

/** The source maps of artifacts, a few of them kept in memory. */
export class SourceMaps {
  readonly #artifacts: ArtifactCache;
  /** The one that was asked for first is the first to go. */
  readonly #maps = new Map<Digest, Promise<LoadedMap | undefined>>();
  readonly #bytes = new Map<Digest, number>();

  constructor(artifacts: ArtifactCache) {
    this.#artifacts = artifacts;
  }

  /** The stack in terms of the sources; as it was when the artifact has no map. */
  async apply(artifact: Digest, stack: string): Promise<string> {
    const loaded = await this.#load(artifact);
    if (loaded === undefined) return stack;
    try {
      return mapStack(stack, loaded);
    } catch {
      return stack; // A map is the compiler's word about the tenant's code; it may be wrong
    }
  }

  /** A line with its stack as {@link apply} has it; one that is printed is in the message. */
  applyTo(record: LogRecord, artifact: Digest): LogRecord | Promise<LogRecord> {
    const { message, stack } = record;
    if (stack !== undefined) {
      return this.apply(artifact, stack).then((text) => ({ ...record, stack: text }));
    }
    if (!PRINTED_STACK.test(message)) return record;
    return this.apply(artifact, message).then((text) => ({ ...record, message: text }));
  }

  #load(artifact: Digest): Promise<LoadedMap | undefined> {
    const known = this.#maps.get(artifact);
    if (known !== undefined) return known;
    const loading = this.#read(artifact).catch(() => {
      this.#maps.delete(artifact); // It may be there the next time
      return undefined;
    });
    this.#maps.set(artifact, loading);
    return loading;
  }

  #keep(artifact: Digest, bytes: number): void {
    this.#bytes.set(artifact, bytes);
    let kept = [...this.#bytes.values()].reduce((sum, each) => sum + each, 0);
    for (const [oldest, size] of this.#bytes) {
      if (kept <= KEPT_BYTES_MAX && this.#bytes.size <= MAPS_MAX) break;
      this.#maps.delete(oldest);
      this.#bytes.delete(oldest);
      kept -= size;
    }
  }

  async #read(artifact: Digest): Promise<LoadedMap | undefined> {
    const { stream } = await this.#artifacts.open(artifact);
    const bytes = await buffer(stream);
    const bundle = decodeBundle(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
    );
    const { sourceMap, main } = bundle.index;
    const isRead = sourceMap !== undefined && sourceMap.length <= MAP_BYTES_MAX;
    this.#keep(artifact, isRead ? sourceMap.length : 0);
    if (!isRead) return undefined;
    return { main, map: new TraceMap(new TextDecoder().decode(bundle.bytesOf(sourceMap))) };
  }
}

interface LoadedMap {
  /** The module that the map is of. */
  main: string;
  map: TraceMap;
}

/** Replaces each position of the main module that the map knows. */
export function mapStack(stack: string, { main, map }: LoadedMap): string {
  return stack.replace(FRAME, (frame, file: string, line: string, column: string) => {
    if (file !== main && !file.endsWith(`/${main}`)) return frame;
    const found = originalPositionFor(map, { line: Number(line), column: Number(column) - 1 });
    if (found.source === null) return frame;
    return `${found.source}:${found.line}:${found.column + 1}`;
  });
}
