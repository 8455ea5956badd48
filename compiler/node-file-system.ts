/** The real form of the compiler's FileSystem port: one folder, never left through a link. */
import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { FileSystem } from "./ports.ts";

// A pipe in place of a file must not make us wait for its other end
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The files of a folder. Folders named in `skipped` (such as `node_modules`) are not seen. */
export function nodeFileSystem(root: string, skipped: readonly string[] = []): FileSystem {
  return {
    async list() {
      return (await walk(root, "", skipped)).toSorted();
    },
    async read(path) {
      try {
        const file = await open(join(root, path), READ_ONLY);
        try {
          if (!(await file.stat()).isFile()) return undefined;
          return await file.readFile();
        } finally {
          await file.close();
        }
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
  };
}

async function walk(root: string, below: string, skipped: readonly string[]): Promise<string[]> {
  const entries = await readdir(join(root, below), { withFileTypes: true });
  const found = entries.map(async (entry) => {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) return skipped.includes(entry.name) ? [] : walk(root, path, skipped);
    return entry.isFile() ? [path] : [];
  });
  return (await Promise.all(found)).flat();
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["ENOENT", "ENOTDIR", "ELOOP", "EISDIR"].includes(code);
}
