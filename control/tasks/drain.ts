/** Long work in short steps, so that other writers get their turn at the store in between. */
import type { Clock } from "../../core/clock.ts";

/** How long a task goes on; the next period goes on where it stopped. */
export const TASK_BUDGET_MS = 20_000;

/** How many rows one step deletes: 30 to 120 ms of the only writer, by how scattered they lie. */
export const ROWS_PER_STEP = 2_000;

/** One kind of work. A step that did less than `size` was the last of its kind. */
export interface Step {
  size: number;
  run(size: number): Promise<number>;
}

/** Takes turns with the steps until nothing is left or the time is up; answers what they did. */
export async function drain(clock: Clock, steps: readonly Step[]): Promise<number> {
  const endMs = clock.nowMs() + TASK_BUDGET_MS;
  let done = 0;
  let open = steps;
  while (open.length > 0) {
    const next: Step[] = [];
    for (const step of open) {
      if (clock.nowMs() >= endMs) return done;
      const count = await step.run(step.size);
      done += count;
      if (count >= step.size) next.push(step);
    }
    open = next;
  }
  return done;
}
