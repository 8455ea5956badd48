/** The machine's programs that the edge uses when they are there. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const SYSTEM_FOLDERS = [
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
  "/usr/local/sbin",
  "/usr/local/bin",
];
const found = new Map<string, string | undefined>();

/**
 * Absolute path of a program, searched in PATH and in the system's folders; undefined if absent.
 */
export function findProgram(name: string): string | undefined {
  if (!found.has(name)) found.set(name, search(name));
  return found.get(name);
}

function search(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return path.startsWith("/");
  } catch {
    return false;
  }
}

/** The command, made to end with this process where the machine has `setpriv`. */
export function dieWithParent(
  file: string,
  args: readonly string[],
): { file: string; args: readonly string[] } {
  const setpriv = findProgram("setpriv");
  if (setpriv === undefined) return { file, args };
  return { file: setpriv, args: ["--pdeathsig", "KILL", "--", file, ...args] };
}
