/**
 * The artifact: one blob that holds a compiled app, addressed by its SHA-256. Layout:
 *
 *     "IGNB" | u32 format version | u32 index length | index (JSON) | bytes of all entries
 *
 * (little-endian). Equal inputs give equal bytes: entries are sorted, nothing carries a time. A
 * reader refuses a format version or a `mustUnderstand` name that it does not know.
 */
import { IgniteError } from "./errors.ts";
import { artifactBytesMax, artifactIndexBytesMax } from "./limits.ts";

/** How a module is given to the Worker Loader. */
export type ModuleType = "js" | "text" | "data" | "json" | "wasm";

/** A byte range of the blob, counted from the end of the index. */
export interface BundleEntry {
  name: string;
  offset: number;
  length: number;
}

/** One module of the graph. */
export interface BundleModule extends BundleEntry {
  type: ModuleType;
}

/** A static file, readable as `Deno.readFile` and served by file name. */
export interface BundleAsset extends BundleEntry {
  contentType: string;
}

/** Everything about a compiled app but its bytes. */
export interface BundleIndex {
  /** Which kind of host runs it. */
  runtime: "deno" | "component";
  main: string;
  /** Features that a host must know to run this; an unknown one is refused. */
  mustUnderstand: readonly string[];
  compatibilityDate: string;
  compatibilityFlags: readonly string[];
  modules: readonly BundleModule[];
  assets: readonly BundleAsset[];
  /** Source map of the main module, kept for stacks; not loaded by the isolate. */
  sourceMap: BundleEntry | undefined;
}

/** A bundle that was read: the index and a view on each entry's bytes (nothing is copied). */
export interface Bundle {
  index: BundleIndex;
  /** Of the whole blob. */
  byteLength: number;
  bytesOf(entry: BundleEntry): Uint8Array<ArrayBuffer>;
}

/** An entry before it has a place. */
export interface BundlePart<Meta> {
  name: string;
  bytes: Uint8Array;
  meta: Meta;
}

const MAGIC = [0x49, 0x47, 0x4e, 0x42] as const;
const FORMAT_VERSION = 1;
const HEADER_BYTES = 12;
const UNDERSTOOD: ReadonlySet<string> = new Set(["deno-namespace"]);

/** What {@link encodeBundle} takes: an index without places, and the bytes. */
export interface BundleInput
  extends Omit<BundleIndex, "modules" | "assets" | "sourceMap" | "mustUnderstand"> {
  mustUnderstand: readonly string[];
  modules: readonly BundlePart<{ type: ModuleType }>[];
  assets: readonly BundlePart<{ contentType: string }>[];
  sourceMap: Uint8Array | undefined;
}

/** Writes the blob. Fails with BUNDLE_TOO_LARGE over `artifactBytesMax`. */
export function encodeBundle(input: BundleInput): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  let offset = 0;
  const place = (name: string, bytes: Uint8Array): BundleEntry => {
    const entry = { name, offset, length: bytes.length };
    chunks.push(bytes);
    offset += bytes.length;
    return entry;
  };
  const sorted = <Meta>(parts: readonly BundlePart<Meta>[]) =>
    parts.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const modules = sorted(input.modules).map((part) => ({
    ...place(part.name, part.bytes),
    ...part.meta,
  }));
  const assets = sorted(input.assets).map((part) => ({
    ...place(part.name, part.bytes),
    ...part.meta,
  }));
  const sourceMap = input.sourceMap && place("main.map", input.sourceMap);
  const index: BundleIndex = {
    runtime: input.runtime,
    main: input.main,
    mustUnderstand: input.mustUnderstand.toSorted(),
    compatibilityDate: input.compatibilityDate,
    compatibilityFlags: input.compatibilityFlags.toSorted(),
    modules,
    assets,
    sourceMap,
  };
  return assemble(new TextEncoder().encode(JSON.stringify(index)), chunks, offset);
}

/** Reads a blob whose digest was already checked. Fails with BUNDLE_REJECTED. */
export function decodeBundle(blob: ArrayBuffer): Bundle {
  const view = new DataView(blob);
  if (blob.byteLength < HEADER_BYTES || MAGIC.some((byte, at) => view.getUint8(at) !== byte)) {
    throw rejected("it is not an Ignite bundle");
  }
  const format = view.getUint32(4, true);
  if (format !== FORMAT_VERSION) throw rejected(`format version ${format} is unknown`);
  const indexLength = view.getUint32(8, true);
  const start = HEADER_BYTES + indexLength;
  if (indexLength > artifactIndexBytesMax || start > blob.byteLength) {
    throw rejected("its index is cut off");
  }
  const text = new TextDecoder().decode(new Uint8Array(blob, HEADER_BYTES, indexLength));
  const index = parseIndex(text, blob.byteLength - start);
  const unknown = index.mustUnderstand.find((name) => !UNDERSTOOD.has(name));
  if (unknown !== undefined) throw rejected(`it needs "${unknown}"`);
  return {
    index,
    byteLength: blob.byteLength,
    bytesOf: (entry) => new Uint8Array(blob, start + entry.offset, entry.length),
  };
}

/** Reads the index of a blob with so many bytes behind it. */
function parseIndex(text: string, bodyBytes: number): BundleIndex {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw rejected("its index is no JSON");
  }
  if (!isIndex(value)) throw rejected("its index is damaged");
  const { modules, assets, sourceMap } = value;
  const entries = [...modules, ...assets, ...(sourceMap === undefined ? [] : [sourceMap])];
  const isWhole = entries.every(({ offset, length }) => offset + length <= bodyBytes);
  if (!isWhole) throw rejected("it is cut off");
  return value;
}

function isIndex(value: unknown): value is BundleIndex {
  if (!isObject(value)) return false;
  const { runtime, main, compatibilityDate, sourceMap } = value;
  return (
    [runtime, main, compatibilityDate].every(isText) &&
    isListOf(value["mustUnderstand"], isText) &&
    isListOf(value["compatibilityFlags"], isText) &&
    isListOf(value["modules"], (each) => isEntry(each) && isText(each["type"])) &&
    isListOf(value["assets"], (each) => isEntry(each) && isText(each["contentType"])) &&
    (sourceMap === undefined || isEntry(sourceMap))
  );
}

function isEntry(value: unknown): value is Record<string, unknown> {
  if (!isObject(value) || !isText(value["name"])) return false;
  return [value["offset"], value["length"]].every(isSize);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isListOf(value: unknown, is: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(is);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function assemble(index: Uint8Array, chunks: readonly Uint8Array[], bodyLength: number) {
  const total = HEADER_BYTES + index.length + bodyLength;
  if (total > artifactBytesMax || index.length > artifactIndexBytesMax) {
    throw new IgniteError({
      code: "resource_exhausted",
      reason: "BUNDLE_TOO_LARGE",
      message: `The compiled app has ${total} bytes; ${artifactBytesMax} are allowed.`,
      hint: "Leave files out with [build] exclude in ignite.toml.",
    });
  }
  const blob = new Uint8Array(total);
  const view = new DataView(blob.buffer);
  blob.set(MAGIC, 0);
  view.setUint32(4, FORMAT_VERSION, true);
  view.setUint32(8, index.length, true);
  blob.set(index, HEADER_BYTES);
  let at = HEADER_BYTES + index.length;
  for (const chunk of chunks) {
    blob.set(chunk, at);
    at += chunk.length;
  }
  return blob;
}

function rejected(why: string): IgniteError {
  return new IgniteError({
    code: "failed_precondition",
    reason: "BUNDLE_REJECTED",
    message: `The artifact cannot be run: ${why}.`,
    hint: "Compile the app again.",
  });
}
