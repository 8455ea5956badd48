/**
 * `Deno.readFile` and its kin over the app's static files, which appear to be in `/app`. Up to a
 * bound the files are in the isolate and can be read at any time; larger sets are fetched from the
 * cell on demand, which needs a request and an asynchronous call.
 */
import { denoErrors } from "./errors.ts";

/**
 * The app's static files: offset and length by name, and the bytes when they are in the isolate.
 */
export interface GuestFiles {
  index: Readonly<Record<string, readonly [offset: number, length: number]>>;
  bytes: ArrayBuffer | undefined;
  /** Fetches one file from the cell. */
  fetchFile: (name: string) => Promise<Uint8Array>;
}

/** The folder that the app's tree appears to be in. */
const ROOT = "/app";

type Path = string | URL;

interface DirEntry {
  name: string;
  isFile: boolean;
  isDirectory: boolean;
  isSymlink: boolean;
}

/**
 * The file functions of the `Deno` namespace. They fail with `Deno.errors.NotFound` and the like.
 */
export function makeFiles(files: GuestFiles) {
  const entries = new Map(Object.entries(files.index));
  const placeOf = (path: Path) => {
    const name = nameOf(path);
    const place = entries.get(name);
    if (place !== undefined) return { name, place };
    if (isFolder(entries, name)) throw new (denoErrors().IsADirectory)(`Is a directory: ${path}`);
    throw notFound("open", path);
  };
  const readFileSync = (path: Path): Uint8Array => {
    const { place } = placeOf(path);
    if (files.bytes !== undefined)
      return new Uint8Array(files.bytes.slice(place[0], place[0] + place[1]));
    throw new (denoErrors().NotSupported)(
      "The static files are too large to be read synchronously; use the asynchronous function",
    );
  };
  const readFile = async (path: Path): Promise<Uint8Array> => {
    const { name } = placeOf(path);
    return files.bytes === undefined ? files.fetchFile(name) : readFileSync(path);
  };
  const statSync = (path: Path) => statOf(entries, path);
  const readDirSync = (path: Path) => listFolder(entries, path)[Symbol.iterator]();
  return {
    cwd: () => ROOT,
    readFile,
    readFileSync,
    readTextFile: async (path: Path) => new TextDecoder().decode(await readFile(path)),
    readTextFileSync: (path: Path) => new TextDecoder().decode(readFileSync(path)),
    stat: async (path: Path) => statSync(path),
    statSync,
    lstat: async (path: Path) => statSync(path),
    lstatSync: statSync,
    readDirSync,
    async *readDir(path: Path) {
      yield* readDirSync(path);
    },
  };
}

type Entries = ReadonlyMap<string, readonly [number, number]>;

/** `./a`, `/app/a` and `file:///app/a` are all `a`. */
function nameOf(path: Path): string {
  const text =
    path instanceof URL || String(path).startsWith("file:") ? fileUrlPath(path) : String(path);
  const parts: string[] = [];
  const absolute = text.startsWith("/") ? text : `${ROOT}/${text}`;
  for (const part of absolute.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const full = `/${parts.join("/")}`;
  if (full === ROOT) return "";
  return full.startsWith(`${ROOT}/`) ? full.slice(ROOT.length + 1) : full;
}

function fileUrlPath(path: Path): string {
  const url = new URL(path);
  if (url.protocol !== "file:") throw new TypeError("Must be a file URL");
  return decodeURIComponent(url.pathname);
}

function isFolder(entries: Entries, name: string): boolean {
  if (name === "") return true;
  for (const each of entries.keys()) if (each.startsWith(`${name}/`)) return true;
  return false;
}

function statOf(entries: Entries, path: Path) {
  const name = nameOf(path);
  const place = entries.get(name);
  if (place === undefined && !isFolder(entries, name)) throw notFound("stat", path);
  return {
    isFile: place !== undefined,
    isDirectory: place === undefined,
    isSymlink: false,
    size: place?.[1] ?? 0,
    mtime: null,
    atime: null,
    birthtime: null,
    mode: place === undefined ? 0o755 : 0o644,
  };
}

function listFolder(entries: Entries, path: Path): DirEntry[] {
  const name = nameOf(path);
  if (!isFolder(entries, name)) throw notFound("readdir", path);
  const prefix = name === "" ? "" : `${name}/`;
  const found = new Map<string, DirEntry>();
  for (const each of entries.keys()) {
    if (!each.startsWith(prefix)) continue;
    const [first = "", ...rest] = each.slice(prefix.length).split("/");
    const isFile = rest.length === 0;
    found.set(first, { name: first, isFile, isDirectory: !isFile, isSymlink: false });
  }
  return [...found.values()];
}

function notFound(call: string, path: Path): Error {
  return new (denoErrors().NotFound)(`No such file or directory (os error 2): ${call} '${path}'`);
}
