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
