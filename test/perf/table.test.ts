import { expect, test } from "vitest";
import { isAllMet, renderTable, type RowResult } from "./table.ts";

const row = { name: "warm", bar: "at most twice a peer's" };
const good: RowResult = {
  row,
  tookMs: 1,
  lines: [
    {
      what: "CPU per request",
      value: 212.4,
      unit: "µs",
      peer: { name: "bare", value: 180 },
      ratio: 1.18,
      bar: { of: "ratio", max: 1.35, aim: 1.15 },
    },
    { what: "memory", value: 1.534, unit: "MB", note: "of 50 apps" },
  ],
};

test("renderTable() aligns numbers, says bars and verdicts, and puts notes below", () => {
  expect(renderTable([good]).split("\n")).toEqual([
    "row   what                ours      peer  ratio                bar",
    "----  ---------------  -------  --------  -----  -----------------  --",
    "warm  CPU per request   212 µs  bare 180   1.18  ≤ 1.35 (aim 1.15)  ok",
    "warm  memory           1.53 MB                              report",
    "",
    "warm, memory: of 50 apps",
  ]);
});

test("isAllMet() is false for a missed bar and for a row that failed", () => {
  expect(isAllMet([good])).toBe(true);
  const missed = { what: "start", value: 4, unit: "s", bar: { of: "value", max: 3 } } as const;
  expect(isAllMet([{ ...good, lines: [missed] }])).toBe(false);
  expect(renderTable([{ ...good, lines: [missed] }])).toContain("MISSED");
  expect(isAllMet([{ row, tookMs: 1, lines: [], error: "no wrk" }])).toBe(false);
});
