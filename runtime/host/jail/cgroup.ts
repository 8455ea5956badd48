/**
 * Bounds on memory and processes of a cell by cgroups, version 2 or 1, where this process may make
 * them. The memory bound is what stops memory that V8 does not count, such as ArrayBuffers.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type CellClass, residentMbMark } from "../cells/cell-class.ts";

/** Makes and removes the cgroups of cells. */
export interface Cgroups {
  /** Makes them; answers the files that a process enters them by. Undefined when it failed. */
  create(id: string, cellClass: CellClass): readonly string[] | undefined;
  /** How often the kernel killed in it for lack of memory. */
  oomKills(id: string): number;
  remove(id: string): void;
  /** Removes the folders around them. */
  close(): void;
}

const ROOT = "/sys/fs/cgroup";
const PROCESSES_MAX = 128;
const BYTES_PER_MB = 1024 * 1024;
const SLACK = 1.25; // Above the size at which a cell is replaced in peace

/** The cgroups that this process may use; `name` tells this platform's apart from others'. */
export function cgroupsOf(name: string): Cgroups | undefined {
  const isUnified = existsSync(join(ROOT, "cgroup.controllers"));
  const roots = isUnified ? unifiedRoots(name) : splitRoots(name);
  if (roots === undefined) return undefined;
  const { memory, pids } = roots;
  const foldersOf = (id: string) => Array.from(new Set([join(memory, id), join(pids, id)]));
  return {
    create(id, cellClass) {
      try {
        for (const folder of foldersOf(id)) mkdirSync(folder, { recursive: true });
        const bytes = Math.round(residentMbMark(cellClass) * SLACK * BYTES_PER_MB);
        const limit = isUnified ? "memory.max" : "memory.limit_in_bytes";
        writeFileSync(join(memory, id, limit), `${bytes}`);
        if (isUnified) writeIfThere(join(memory, id, "memory.swap.max"), "0");
        writeFileSync(join(pids, id, "pids.max"), `${PROCESSES_MAX}`);
        return foldersOf(id).map((folder) => join(folder, "cgroup.procs"));
      } catch {
        return undefined;
      }
    },
    oomKills(id) {
      const file = join(memory, id, isUnified ? "memory.events" : "memory.oom_control");
      const match = /^oom_kill (\d+)/m.exec(readIfThere(file));
      return Number(match?.[1] ?? 0);
    },
    remove(id) {
      for (const folder of foldersOf(id)) removeIfEmpty(folder);
    },
    close() {
      for (const folder of new Set([memory, pids])) removeIfEmpty(folder);
    },
  };
}

interface Roots {
  memory: string;
  pids: string;
}

function splitRoots(name: string): Roots | undefined {
  const memory = join(ROOT, "memory", name);
  const pids = join(ROOT, "pids", name);
  return canMake([memory, pids]) ? { memory, pids } : undefined;
}

function unifiedRoots(name: string): Roots | undefined {
  const folder = join(ROOT, name);
  const controllers = readIfThere(join(ROOT, "cgroup.controllers")).split(/\s+/);
  if (!controllers.includes("memory") || !controllers.includes("pids")) return undefined;
  if (!canMake([folder])) return undefined;
  const hasBoth =
    writeIfThere(join(ROOT, "cgroup.subtree_control"), "+memory +pids") &&
    writeIfThere(join(folder, "cgroup.subtree_control"), "+memory +pids");
  return hasBoth ? { memory: folder, pids: folder } : undefined;
}

/** Makes the folders, after removing what an earlier life left in them. */
function canMake(folders: readonly string[]): boolean {
  try {
    for (const folder of folders) {
      mkdirSync(folder, { recursive: true });
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory()) removeIfEmpty(join(folder, entry.name));
      }
    }
    return true;
  } catch {
    return false;
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // A process is still in it, or it is gone; the next start tidies up
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function writeIfThere(path: string, text: string): boolean {
  try {
    writeFileSync(path, text);
    return true;
  } catch {
    return false;
  }
}
