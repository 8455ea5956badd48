/** Why a cell ended, read from what it left behind. */
import type { Reason } from "../../../core/errors.ts";
import type { WorkerdExit } from "../workerd-process.ts";
import type { Suspects } from "./suspects.ts";

/** The end of a cell. */
export interface Death {
  cause: "cpu" | "memory" | "crash";
  suspects: Suspects;
}

/** What is known when a process has ended. */
export interface Evidence {
  exit: WorkerdExit;
  /** The last lines of its stderr. */
  stderr: readonly string[];
  /** The watchdog ended it. */
  looped: boolean;
  /** The last resident size that was seen, MiB. */
  residentMb: number;
  /** From here on its size speaks for memory. */
  residentMbMax: number;
  /** Its cgroup's count of kills for lack of memory. */
  oomKills: number;
}

const OUT_OF_MEMORY =
  /out of memory|OOM|allocation failed|Array buffer allocation|std::bad_alloc|Last few GCs/i;

/** The cause of death. A heap that is full burns CPU too, so memory is looked at first. */
export function causeOf(evidence: Evidence): Death["cause"] {
  const { exit, stderr, looped, residentMb, residentMbMax, oomKills } = evidence;
  if (oomKills > 0 || stderr.some((line) => OUT_OF_MEMORY.test(line))) return "memory";
  if (looped) return residentMb >= residentMbMax ? "memory" : "cpu";
  const killed = exit.signal === "SIGKILL" || exit.code === 137;
  return killed && residentMb >= residentMbMax ? "memory" : "crash";
}

/** What is said of a request of `app` that the cell took with it. */
export function reasonFor(death: Death, app: string | undefined): Reason {
  if (death.cause === "crash" || app === undefined || app !== death.suspects.likeliest) {
    return "CELL_LOST";
  }
  return death.cause === "cpu" ? "CPU_EXCEEDED" : "MEMORY_EXCEEDED";
}

/** What follows for the apps that were in the cell. */
export interface Blame {
  /** The app that broke it, when it can only be this one. */
  struck: string | undefined;
  /** Those that are to run alone from now on, so that the next time it is certain. */
  apart: readonly string[];
}

const APART_MAX = 8; // Cells are few; those that entered last are the likelier ones

/**
 * One suspect is blamed; of several each is tried alone. Those that only may have lingered are
 * left in peace when there are others, unless it happened to the same group before.
 */
export function blameFor({ suspects }: Death, isRepeated: boolean): Blame {
  const { apps, lingering, likeliest, isCertain } = suspects;
  if (isCertain) return { struck: likeliest, apart: [] };
  const all = apps.length === 0 || isRepeated ? [...lingering, ...apps] : apps;
  return { struck: undefined, apart: all.slice(-APART_MAX) };
}
