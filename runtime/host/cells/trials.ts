/**
 * Takes turns at trials. A version on trial holds a cell for as long as it likes, so that without
 * a bound one organization could hold them all.
 */
import { FairQueue } from "../../../core/fair-queue.ts";
import { IgniteError } from "../../../core/errors.ts";
import { parseAppName } from "../../../core/names.ts";
import type { TrialResult } from "./cell-admin.ts";
import { type Trial, type TrialPorts, tryVersion } from "./trial.ts";

const CELLS_SHARE = 8; // One cell in so many may be on trial
const OF_ONE_ORGANIZATION_MAX = 2;
const WAITING_MAX = 32; // Of one organization
const WAIT_MS_MAX = 60_000; // As long as a trial may take

/** The trials of an edge with so many cells. */
export class Trials {
  readonly #queue: FairQueue;

  constructor(cellsMax: number) {
    this.#queue = new FairQueue({
      runningMax: Math.max(1, Math.floor(cellsMax / CELLS_SHARE)),
      ownerMax: OF_ONE_ORGANIZATION_MAX,
      waitingMax: WAITING_MAX,
      what: "trials",
    });
  }

  /** {@link tryVersion} when it is the organization's turn. Fails with OVERLOADED. */
  async run(trial: Trial, ports: TrialPorts): Promise<TrialResult> {
    const waiting = new AbortController();
    const timer = setTimeout(() => waiting.abort(overloaded()), WAIT_MS_MAX);
    try {
      return await this.#queue.run(parseAppName(trial.app).org, waiting.signal, () => {
        clearTimeout(timer);
        return tryVersion(trial, ports);
      });
    } finally {
      clearTimeout(timer);
    }
  }
}

function overloaded(): IgniteError {
  return new IgniteError({
    code: "resource_exhausted",
    reason: "OVERLOADED",
    message: "Too many versions are being tried at the moment.",
    hint: "Try again later.",
  });
}
