/** The text of everything in a tree that steers the bundling: modules and configuration. */
import type { FileSystem } from "../ports.ts";

/** Text by path, sorted by path. */
export type SourceTexts = ReadonlyMap<string, string>;

const CONFIG = new Set([
  "deno.json",
  "deno.jsonc",
  "deno.lock",
  "package.json",
  "import_map.json",
  ".npmrc",
]);
const CODE = /\.[cm]?[jt]sx?$/;

/** Whether a path is a configuration file of deno or npm. */
export function isConfig(path: string): boolean {
  return CONFIG.has(path.split("/").at(-1) ?? "") || path.endsWith(".lock");
}

/** Whether a path is a module or a configuration file: something that the bundler may read. */
export function isSource(path: string): boolean {
  return isConfig(path) || CODE.test(path);
}

/** Reads them all. */
export async function readSources(files: FileSystem): Promise<SourceTexts> {
  const decoder = new TextDecoder();
  const paths = (await files.list()).filter(isSource);
  const read = async (path: string) => [path, decoder.decode(await files.read(path))] as const;
  return new Map(await Promise.all(paths.map(read)));
}
