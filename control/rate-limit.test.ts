import { expect, test } from "vitest";
import { RateLimit } from "./rate-limit.ts";

test("take() lets a burst pass, then one for each token that came", () => {
  const limit = new RateLimit({ burst: 3, perSecond: 2 }, 10);
  expect([1, 2, 3].map(() => limit.take("a", 1_000))).toEqual([0, 0, 0]);
  expect(limit.take("a", 1_000)).toBe(500);
  expect(limit.take("a", 1_400)).toBe(100);
  expect(limit.take("b", 1_400)).toBe(0);
  expect(limit.take("a", 1_500)).toBe(0);
  expect(limit.take("a", 1_500)).toBe(500);
  expect([1, 2, 3, 4].map(() => limit.take("a", 60_000))).toEqual([0, 0, 0, 500]);
});

test("take() takes all that is asked for, or nothing", () => {
  const limit = new RateLimit({ burst: 10, perSecond: 2 }, 10);
  expect([limit.take("a", 0, 8), limit.take("a", 0, 4), limit.take("a", 0, 2)]).toEqual([
    0, 1_000, 0,
  ]);
});

test("peek() takes nothing", () => {
  const limit = new RateLimit({ burst: 1, perSecond: 1 }, 10);
  expect([limit.peek("a", 0), limit.take("a", 0), limit.peek("a", 0)]).toEqual([0, 0, 1_000]);
});

test("take() survives a clock that is set back", () => {
  const limit = new RateLimit({ burst: 1, perSecond: 1 }, 10);
  limit.take("a", 5_000);
  expect(limit.take("a", 0)).toBe(1_000);
  expect(limit.take("a", 1_000)).toBe(0);
});

test("take() forgets the name that was not used for longest", () => {
  const limit = new RateLimit({ burst: 1, perSecond: 1 }, 2);
  for (const name of ["a", "b", "a", "c"]) limit.take(name, 0);
  expect([limit.peek("a", 0), limit.peek("b", 0), limit.peek("c", 0)]).toEqual([1_000, 0, 1_000]);
});
