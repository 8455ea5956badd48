import { expect, test } from "vitest";
import { manualClock } from "../../core/clock.ts";
import { drain, TASK_BUDGET_MS } from "./drain.ts";

/** Work of `total` rows; notes each step under its name. */
function work(total: number, name: string, turns: string[]) {
  let left = total;
  return {
    size: 10,
    async run(size: number) {
      turns.push(name);
      const count = Math.min(size, left);
      left -= count;
      return count;
    },
  };
}

test("drain() takes turns until nothing is left", async () => {
  const turns: string[] = [];
  const steps = [work(25, "a", turns), work(5, "b", turns), work(10, "c", turns)];
  expect(await drain(manualClock(), steps)).toBe(40);
  expect(turns.join("")).toBe("abcaca");
});

test("drain() ends when its time is up", async () => {
  const clock = manualClock();
  const turns: string[] = [];
  const { size, run } = work(1_000, "a", turns);
  const slow = (count: number) => {
    clock.advance(TASK_BUDGET_MS / 2);
    return run(count);
  };
  expect(await drain(clock, [{ size, run: slow }])).toBe(20);
});
