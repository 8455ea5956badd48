/** Where time comes from. Handed in, so that tests and simulations choose it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
}

/** The machine's own clock. */
export const systemClock: Clock = { nowMs: () => Date.now() };

/** A clock that stands still until it is moved. */
export function manualClock(startMs = 0): Clock & { advance(byMs: number): void } {
  let now = startMs;
  return {
    nowMs: () => now,
    advance(byMs) {
      now += byMs;
    },
  };
}
