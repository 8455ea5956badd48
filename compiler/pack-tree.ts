/** Packs files from memory into a source archive: for tests, which need odd entries as well. */
import { buffer } from "node:stream/consumers";
import { createGzip } from "node:zlib";
import { Header, Pax } from "tar";

/** An entry that is more than a file's text. */
export interface OddEntry {
  type: "SymbolicLink" | "Link" | "CharacterDevice" | "FIFO" | "File";
  linkpath?: string;
  body?: Uint8Array;
}

/** A gzip-compressed tar of `files`; names are written as they are, whatever they are. */
export async function packTree(
  files: Readonly<Record<string, string | OddEntry>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const gzip = createGzip();
  const done = buffer(gzip);
  for (const [path, content] of Object.entries(files)) writeEntry(gzip, path, content);
  gzip.end(Buffer.alloc(1024));
  return new Uint8Array(await done);
}

function writeEntry(
  out: { write(bytes: Uint8Array): void },
  path: string,
  content: string | OddEntry,
): void {
  const odd: OddEntry =
    typeof content === "string" ? { type: "File", body: Buffer.from(content) } : content;
  const body = odd.body ?? new Uint8Array(0);
  const mtime = new Date(0);
  if (Buffer.byteLength(path) > 99) out.write(new Pax({ path }).encode());
  const link = odd.linkpath === undefined ? {} : { linkpath: odd.linkpath };
  const common = { mode: 0o644, size: body.length, mtime, type: odd.type };
  const header = new Header({ path: path.slice(0, 99), ...common, ...link });
  header.encode();
  out.write(header.block ?? new Uint8Array(0));
  out.write(body);
  out.write(new Uint8Array((512 - (body.length % 512)) % 512));
}
