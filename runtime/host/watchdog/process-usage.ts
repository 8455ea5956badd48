/** What the kernel knows of a process: CPU time of its main thread and resident size. */
import { readFile } from "node:fs/promises";

const NS_PER_MS = 1_000_000;
const BYTES_PER_MB = 1024 * 1024;
const PAGE_BYTES = 4_096;
const TICK_MS = 10;
const DEPTH_MAX = 8;

/** CPU time of the process's main thread in milliseconds; undefined when it has ended. */
export async function mainThreadCpuMs(pid: number): Promise<number | undefined> {
  const thread = `/proc/${pid}/task/${pid}`;
  try {
    const [ns] = (await readFile(`${thread}/schedstat`, "utf8")).split(" ");
    return Number(ns) / NS_PER_MS;
  } catch {
    return ticksOf(thread);
  }
}

/** Kernels without schedstat count ticks of 10 ms. */
async function ticksOf(thread: string): Promise<number | undefined> {
  try {
    const text = await readFile(`${thread}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return undefined;
  }
}

/** Resident size in MiB; undefined when the process has ended. */
export async function residentMb(pid: number): Promise<number | undefined> {
  try {
    const [, pages] = (await readFile(`/proc/${pid}/statm`, "utf8")).split(" ");
    return (Number(pages) * PAGE_BYTES) / BYTES_PER_MB;
  } catch {
    return undefined;
  }
}

/** The innermost descendant: a jail's programs each have one child, the last is the cell. */
export async function innermostPid(pid: number): Promise<number> {
  let current = pid;
  for (let depth = 0; depth < DEPTH_MAX; depth += 1) {
    const path = `/proc/${current}/task/${current}/children`;
    const [child] = (await readFile(path, "utf8").catch(() => "")).trim().split(" ");
    if (child === undefined || child === "") return current;
    current = Number(child);
  }
  return current;
}
