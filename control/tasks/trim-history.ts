/**
 * Keeps executions and logs of each organization to a number of rows, whatever their age: disks are
 * shared. The app that has most gives first, so that one noisy app costs the others nothing.
 */
import { executionRowsMax, logRowsMax } from "../../core/limits.ts";
import type { AppRows, History, Ports } from "../ports.ts";
import { drain, ROWS_PER_STEP } from "./drain.ts";

/** How many rows an organization may have. */
export interface HistoryBounds {
  executionRowsMax: number;
  logRowsMax: number;
}

const BOUNDS: HistoryBounds = { executionRowsMax, logRowsMax };

/** Answers how many rows it deleted. */
export async function trimHistory(ports: Ports, bounds: HistoryBounds = BOUNDS): Promise<number> {
  const { executions, logs } = ports.stores;
  const crowds = [
    ...(await crowdsIn(executions, bounds.executionRowsMax)),
    ...(await crowdsIn(logs, bounds.logRowsMax)),
  ];
  const steps = crowds.map((crowd) => ({
    size: ROWS_PER_STEP,
    run: (size: number) => trimLargest(crowd, size),
  }));
  return drain(ports.clock, steps);
}

/** The apps of an organization that has too many rows. */
interface Crowd {
  history: History;
  apps: AppRows[];
  excess: number;
}

async function crowdsIn(history: History, rowsMax: number): Promise<Crowd[]> {
  const crowded = await history.crowded(rowsMax);
  return [...new Set(crowded.map(({ org }) => org))].map((org) => {
    const apps = crowded.filter((app) => app.org === org).map((app) => ({ ...app }));
    return { history, apps, excess: apps.reduce((sum, { rows }) => sum + rows, -rowsMax) };
  });
}

/** Deletes from whichever app has most, until `size` or nothing is left to delete. */
async function trimLargest(crowd: Crowd, size: number): Promise<number> {
  const wanted = Math.min(size, crowd.excess);
  let deleted = 0;
  while (deleted < wanted) {
    const largest = crowd.apps.reduce((most, app) => (app.rows > most.rows ? app : most));
    const gone = await crowd.history.trim(largest.appId, wanted - deleted);
    if (gone === 0) break;
    largest.rows -= gone;
    deleted += gone;
  }
  crowd.excess -= deleted;
  return deleted;
}
