/**
 * Judges a cell that has not answered its ping. The measure is the CPU time of the thread that
 * runs guests, not the clock on the wall: on a busy machine a healthy cell may be late, but it
 * cannot burn CPU meanwhile without somebody's code running in it.
 */

/** A ping that has no answer yet, and the thread's CPU time now. */
export interface Silence {
  /** Since the ping was sent. */
  waitedMs: number;
  /** CPU time of the cell's main thread since then. */
  burnedMs: number;
  /** What the guests that may be running are allowed to burn in one go. */
  budgetMs: number;
}

/**
 * `well`: nothing to see yet. `heavy`: others should not wait for it. `loop`: it used up its
 * budget. `starved`: it got no CPU, so nothing can be said. `hung`: neither CPU nor an answer for
 * so long that waiting on is no use.
 */
export type Verdict = "well" | "heavy" | "loop" | "starved" | "hung";

/** CPU in one go after which the other apps of the cell are moved away. */
export const heavyCpuMs = 250;
const PATIENCE_MS = 1_000; // Silence without CPU that is worth a word
const HUNG_MS = 60_000;
const IDLE_CPU_SHARE = 0.01; // Below this it is waiting, not running

/** The verdict on a silent cell. */
export function judge({ waitedMs, burnedMs, budgetMs }: Silence): Verdict {
  if (burnedMs >= budgetMs) return "loop";
  if (waitedMs >= HUNG_MS && burnedMs < waitedMs * IDLE_CPU_SHARE) return "hung";
  if (burnedMs >= heavyCpuMs) return "heavy";
  return waitedMs >= PATIENCE_MS ? "starved" : "well";
}
