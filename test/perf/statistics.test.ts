import { expect, test } from "vitest";
import {
  drawer,
  drift,
  maximum,
  median,
  medianRatio,
  percentile,
  zipfShares,
} from "./statistics.ts";

test("median() is the middle, or between the two middles, of unsorted values", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([10, 1, 2, 3])).toBe(2.5);
  expect(() => median([])).toThrow(RangeError);
  expect(() => median([1, Number.NaN])).toThrow("not a number");
});

test("percentile() is the smallest value that so many do not exceed", () => {
  const values = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect([50, 99, 100].map((percent) => percentile(values, percent))).toEqual([50, 99, 100]);
  expect(percentile([7], 1)).toBe(7);
  expect(() => percentile([1], 0)).toThrow(RangeError);
});

test("maximum() and drift() read a series", () => {
  expect(maximum([2, 9, 4])).toBe(9);
  expect(drift([10, 10, 10, 11, 12, 12, 12])).toBeCloseTo(0.2);
  expect(drift([4])).toBe(0);
});

test("medianRatio() pairs what was measured together", () => {
  expect(medianRatio([2, 20, 3], [1, 10, 2])).toBe(2);
  expect(() => medianRatio([1], [])).toThrow("pair");
});

test("zipfShares() halves from rank one to two and adds up to one", () => {
  const shares = zipfShares(1000);
  expect((shares[0] ?? 0) / (shares[1] ?? 0)).toBeCloseTo(2);
  expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
});

test("drawer() repeats itself for a seed and follows the shares", () => {
  const shares = [0.7, 0.2, 0.1];
  const [draw, again] = [drawer(shares, 1), drawer(shares, 1)];
  const counts = [0, 0, 0];
  for (let at = 0; at < 10_000; at += 1) {
    const rank = draw();
    expect(again()).toBe(rank);
    counts[rank] = (counts[rank] ?? 0) + 1;
  }
  for (const [rank, share] of shares.entries()) {
    expect((counts[rank] ?? 0) / 10_000).toBeCloseTo(share, 1);
  }
});
