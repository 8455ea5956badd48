/** The real form of the compiler's FileSystem port: one folder, never left through a link. */
import { constants } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { FileSystem } from "./ports.ts";

// A pipe in place of a file must not make us wait for its other end
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const OPEN_MAX = 32; // Of one tree; a process that runs out of them fails everybody

/** The files of a folder. Folders named in `skipped` (such as `node_modules`) are not seen. */
export function nodeFileSystem(root: string, skipped: readonly string[] = []): FileSystem {
  const turns = new Turns(OPEN_MAX);
  return {
    async list() {
      return (await walk(root, "", skipped)).toSorted();
    },
    read: (path) => turns.take(() => withRegular(join(root, path), (file) => file.readFile())),
    size: (path) =>
      turns.take(() => withRegular(join(root, path), async (file) => (await file.stat()).size)),
  };
}

async function withRegular<Out>(
  path: string,
  action: (file: FileHandle) => Promise<Out>,
): Promise<Out | undefined> {
  try {
    const file = await open(path, READ_ONLY);
    try {
      if (!(await file.stat()).isFile()) return undefined;
      return await action(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Lets a few actions run at once, in the order in which they came. */
class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async take<Out>(action: () => Promise<Out>): Promise<Out> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await action();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
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
