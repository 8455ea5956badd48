/** Folders below dist/ that are made from sources, and made anew when one of these has changed. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const STAMPS = "sources.json";

/** Whether a folder was made from the sources as they are. */
export function isFresh(root, folder) {
  try {
    const stamps = JSON.parse(readFileSync(join(folder, STAMPS), "utf8"));
    return stamps.every(([path, stamp]) => stampOf(join(root, path)) === stamp);
  } catch {
    return false;
  }
}

/**
 * Builds beside the old folder and swaps the two, so that nobody meets half of one. `make` fills
 * the folder it is given, and answers the paths below `root` that it was made from.
 */
export async function rebuild(root, folder, make) {
  const fresh = `${folder}.${process.pid}`;
  try {
    mkdirSync(fresh, { recursive: true });
    const sources = [...new Set(await make(fresh))];
    const stamps = sources.map((path) => [path, stampOf(join(root, path))]);
    writeFileSync(join(fresh, STAMPS), JSON.stringify(stamps));
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  }
}

function stampOf(path) {
  const { mtimeMs, size } = statSync(path);
  return `${mtimeMs} ${size}`;
}
