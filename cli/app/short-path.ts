import { relative } from "node:path";

/** A path as a user in `cwd` would write it. */
export function shortPath(cwd: string, path: string): string {
  const short = relative(cwd, path) || ".";
  return short.startsWith("..") ? path : short;
}
