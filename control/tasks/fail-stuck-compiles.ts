/** Fails versions whose compile nobody carries on with, as when their process died. */
import { compileTimeoutMs } from "../../core/limits.ts";
import { failureJson } from "../operations/versions.ts";
import type { Ports } from "../ports.ts";

const GRACE_MS = 30_000; // For the way back from the region

/** Answers how many it failed. */
export function failStuckCompiles(ports: Ports): Promise<number> {
  const nowMs = ports.clock.nowMs();
  const failure = failureJson({
    reason: "COMPILE_TIMED_OUT",
    message: "The compile was not finished. Compile again.",
  });
  return ports.stores.versions.failStale(nowMs - compileTimeoutMs - GRACE_MS, failure, nowMs);
}
