/**
 * CPU time and memory as the kernel accounts them, read from /proc. Linux only. A process's time
 * includes its ended threads and the children that it has waited for.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** One process. */
export interface ProcessEntry {
  pid: number;
  parentPid: number;
  /** Short name of the program, e.g. `workerd`. */
  name: string;
  /** The command line, words separated by blanks. */
  command: string;
}

const TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux that Node runs on
const PAGE_BYTES = 4096;

/** The process and all its descendants that live now. */
export function processTree(rootPid: number): ProcessEntry[] {
  const all = allProcesses();
  const found = all.filter(({ pid }) => pid === rootPid);
  for (const { pid } of found) found.push(...all.filter(({ parentPid }) => parentPid === pid));
  return found;
}

/** CPU time that these processes have used so far, in microseconds; ended ones count as none. */
export function cpuMicros(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = statOf(pid);
    return fields === undefined ? 0 : sumOf(fields.slice(11, 15)); // utime stime cutime cstime
  });
  return (sumOf(ticks) * 1e6) / TICKS_PER_SECOND;
}

/** Resident memory of one process in bytes; 0 when it has ended. */
export function residentBytes(pid: number): number {
  return Number(statOf(pid)?.[21] ?? 0) * PAGE_BYTES;
}

/** The program that a process runs, or undefined when it has ended. */
export function programOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}

function allProcesses(): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    const fields = Number.isInteger(pid) ? statOf(pid) : undefined;
    if (fields === undefined) continue;
    const command = readProc(pid, "cmdline")?.replaceAll("\0", " ").trim() ?? "";
    const program = readProc(pid, "comm")?.trim() ?? "";
    entries.push({ pid, parentPid: Number(fields[1]), name: program, command });
  }
  return entries;
}

/** The fields of /proc/PID/stat from the third (state) on; the name before may hold blanks. */
function statOf(pid: number): string[] | undefined {
  const text = readProc(pid, "stat");
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined; // It has ended
  }
}

function sumOf(values: readonly (number | string)[]): number {
  return values.reduce<number>((sum, value) => sum + Number(value), 0);
}
