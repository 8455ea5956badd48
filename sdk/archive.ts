/**
 * Source archives: a gzip-compressed tar whose bytes depend on names and contents alone, so equal
 * sources have equal digests and are uploaded once.
 */
import { packTar, type TarEntryData } from "modern-tar";

/** Files by their path in the source tree, `/` between folders. */
export type SourceFiles = Readonly<Record<string, string | Uint8Array>>;

/** Bytes and the SHA-256 that addresses them, lower-case hexadecimal. */
export interface Blob256 {
  bytes: Uint8Array<ArrayBuffer>;
  digest: string;
}

const FILE_MODE = 0o644;

/** Packs files. Throws a TypeError for a path that is absolute or leaves the tree. */
export async function packSource(files: SourceFiles): Promise<Blob256> {
  const encoder = new TextEncoder();
  const entries = Object.entries(files)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, content]) => {
      const body: TarEntryData = typeof content === "string" ? encoder.encode(content) : content;
      return {
        header: {
          name: checkPath(name),
          size: body.length,
          type: "file" as const,
          mode: FILE_MODE,
          mtime: new Date(0),
          uid: 0,
          gid: 0,
        },
        body,
      };
    });
  const bytes = await gzip(await packTar(entries));
  return { bytes, digest: await digestOf(bytes) };
}

/** The SHA-256 of bytes, lower-case hexadecimal. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function checkPath(path: string): string {
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..") || path.includes("\0")) {
    throw new TypeError(`"${path}" is not a path inside the source tree.`);
  }
  return path;
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Response(bytes).body?.pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream ?? null).arrayBuffer());
}
