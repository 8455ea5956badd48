/** The periodic tasks by name. Each is idempotent, takes no input, and answers what it changed. */
import type { Ports } from "../ports.ts";
import { collectBlobs } from "./collect-blobs.ts";
import { deleteExpired } from "./delete-expired.ts";
import { failStuckCompiles } from "./fail-stuck-compiles.ts";
import { trimHistory } from "./trim-history.ts";

/** A task; the next period is the retry of one that failed. */
export type Task = (ports: Ports) => Promise<number>;

const TASKS: ReadonlyMap<string, Task> = new Map([
  ["collect-blobs", collectBlobs],
  ["delete-expired", deleteExpired],
  ["fail-stuck-compiles", failStuckCompiles],
  ["trim-history", (ports) => trimHistory(ports)],
]);

/** The task of that name. */
export function findTask(name: string): Task | undefined {
  return TASKS.get(name);
}

/** All of them, in an order in which each finds what the one before left. */
export async function runTasks(ports: Ports): Promise<void> {
  for (const name of ["fail-stuck-compiles", "delete-expired", "trim-history", "collect-blobs"]) {
    await TASKS.get(name)?.(ports);
  }
}
