/**
 * Loads a version for the first time, in a cell that serves nobody. What goes wrong there, a
 * throw, a loop, a crash, hurts no one. When all went well and the app's group has no cell yet,
 * the cell becomes that group's, warm as it is.
 */
import type { VersionDocument } from "../../../core/deployment.ts";
import { IgniteError } from "../../../core/errors.ts";
import type { SourceMaps } from "../logs/source-maps.ts";
import type { Supervision } from "../watchdog/supervision.ts";
import type { TrialRequest, TrialResult } from "./cell-admin.ts";
import type { Cell } from "./cell.ts";
import type { CellClass } from "./cell-class.ts";
import type { CellPool } from "./pool.ts";

/** A version to try. */
export interface Trial {
  /** `org/app`. */
  app: string;
  version: VersionDocument;
  requests?: readonly TrialRequest[];
}

/** What a trial uses. */
export interface TrialPorts {
  pool: CellPool;
  maps: SourceMaps;
  supervision: Supervision;
  cellClass: CellClass;
  /** Whom the cell may serve afterwards; undefined for an app that is not published yet. */
  group: string | undefined;
}

const TIMEOUT_MS = 60_000;

/** Tries a version. A version that does not load is an answer, not a rejection. */
export async function tryVersion(trial: Trial, ports: TrialPorts): Promise<TrialResult> {
  const cell = await ports.pool.takeBlank(ports.cellClass);
  cell.onTrial = true;
  cell.trials.add(trial.version.artifact);
  const result = await inSources(await resultOf(cell, trial, ports.supervision), trial, ports);
  cell.onTrial = false;
  const { group, pool } = ports;
  const isAdopted = result.ok && group !== undefined && (await pool.adopt(cell, group));
  if (!isAdopted) void pool.retire(cell, 0);
  return result;
}

/** Tells where in its sources a version failed. */
async function inSources(result: TrialResult, { version }: Trial, { maps }: TrialPorts) {
  if (result.ok || result.stack === undefined) return result;
  return { ...result, stack: await maps.apply(version.artifact, result.stack) };
}

async function resultOf(cell: Cell, trial: Trial, supervision: Supervision): Promise<TrialResult> {
  try {
    return await cell.admin.quarantine({
      app: trial.app,
      version: trial.version,
      requests: trial.requests ?? [],
      timeoutMs: TIMEOUT_MS,
    });
  } catch (error) {
    const isGone = await Promise.race([cell.process.exited.then(() => true), soon()]);
    if (!isGone)
      return failed("LOAD_FAILED", IgniteError.from(error).internal ?? "It did not load.");
    const cause = supervision.deathOf(cell)?.cause;
    if (cause === "cpu")
      return failed("LOAD_FAILED", "The module ran without end while it was loaded.");
    if (cause === "memory")
      return failed("LOAD_FAILED", "The module used up its memory while it was loaded.");
    return failed("LOAD_FAILED", "The process ended while the module was loaded.");
  }
}

function failed(reason: string, message: string): TrialResult {
  return { ok: false, reason, message };
}

function soon(): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), 500).unref());
}
