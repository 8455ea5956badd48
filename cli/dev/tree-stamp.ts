/** Whether a folder's sources changed, told from names, sizes and times alone. */
import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Ignore } from "ignore";

/** A text that differs when a file below `dir` was written, made, moved or removed. */
export async function stampOf(dir: string, ignored: Ignore | undefined): Promise<string> {
  const stamps: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    await Promise.all(
      entries.map(async (entry) => {
        const path = join(folder, entry.name);
        const name = relative(dir, path);
        if (ignored?.ignores(entry.isDirectory() ? `${name}/` : name)) return;
        if (entry.isDirectory()) return walk(path);
        const found = await stat(path).catch(() => undefined);
        if (found !== undefined)
          stamps.push(`${name}\0${found.ino}\0${found.size}\0${found.mtimeMs}`);
      }),
    );
  };
  await walk(dir);
  return stamps.toSorted().join("\n");
}
