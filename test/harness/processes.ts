/** Finds processes through /proc. */
import { readdir, readFile } from "node:fs/promises";

/**
 * Ids of the processes whose command line or environment names `path`: all that a platform
 * started, when its home is a folder of its own, and whoever is their parent by now.
 */
export async function processesNaming(path: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const named = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
      const [line, environment] = await Promise.all([read("cmdline"), read("environ")]);
      return line.includes(path) || environment.includes(path) ? [Number(pid)] : [];
    }),
  );
  return named.flat();
}

/** Ids of the processes below `root` whose command line matches. */
export async function descendantsOf(root: number, line: RegExp): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const rows = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
      const [stat, commandLine] = await Promise.all([read("stat"), read("cmdline")]);
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      return { pid: Number(pid), parent, commandLine: commandLine.replaceAll("\0", " ") };
    }),
  );
  const parents = new Map(rows.map((row) => [row.pid, row.parent]));
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)) {
      if (at === root) return true;
    }
    return false;
  };
  return rows
    .filter(({ pid, commandLine }) => isBelow(pid) && line.test(commandLine))
    .map(({ pid }) => pid);
}
