import { expect, test } from "vitest";
import { manualClock } from "../../../core/clock.ts";
import { blameFor, causeOf, type Evidence, reasonFor } from "./death.ts";
import { pauseMs, Strikes, strikeTtlMs } from "./strikes.ts";
import { suspectsOf } from "./suspects.ts";
import { heavyCpuMs, judge } from "./verdict.ts";

test("judge() calls a loop only what burned its budget of CPU", () => {
  const budgetMs = 1_000;
  expect(judge({ waitedMs: 100, burnedMs: 90, budgetMs })).toBe("well");
  expect(judge({ waitedMs: 300, burnedMs: heavyCpuMs, budgetMs })).toBe("heavy");
  expect(judge({ waitedMs: 1_050, burnedMs: 1_000, budgetMs })).toBe("loop");
  // A busy machine: long silence, little CPU
  expect(judge({ waitedMs: 5_000, burnedMs: 200, budgetMs })).toBe("starved");
  // Stopped altogether
  expect(judge({ waitedMs: 30_000, burnedMs: 0, budgetMs })).toBe("starved");
  expect(judge({ waitedMs: 60_000, burnedMs: 0, budgetMs })).toBe("hung");
  // Slow but running
  expect(judge({ waitedMs: 60_000, burnedMs: 900, budgetMs })).toBe("heavy");
});

test("suspectsOf() names who was inside, the last to enter as the likeliest", () => {
  const inflight = [{ id: "exe_1", app: "acme/a", version: 1, startedMs: 0 }];
  const entered = [
    { id: "exe_2", app: "acme/b", version: 1 },
    { id: "exe_3", app: "acme/a", version: 2 },
  ];
  const nobody = { apps: [], lingering: [], likeliest: undefined, isCertain: false };
  expect(suspectsOf([], [])).toEqual(nobody);
  expect(suspectsOf(inflight, [])).toMatchObject({ likeliest: "acme/a", isCertain: true });
  expect(suspectsOf(inflight, entered)).toEqual({
    apps: ["acme/b", "acme/a"],
    lingering: [],
    likeliest: "acme/a",
    isCertain: false,
  });
});

test("Strikes set an app apart, pause it at the third strike, and forget", () => {
  const clock = manualClock(1_000_000);
  const strikes = new Strikes(clock);
  expect(strikes.strike("acme/a")).toBe(false);
  expect(strikes.isApart("acme/a")).toBe(true);
  expect(strikes.isApart("acme/b")).toBe(false);
  expect(strikes.strike("acme/a")).toBe(false);
  expect(strikes.strike("acme/a")).toBe(true);
  expect(strikes.pausedForMs("acme/a")).toBe(pauseMs);
  expect(strikes.takeReleased()).toEqual([]);
  clock.advance(pauseMs);
  expect(strikes.pausedForMs("acme/a")).toBe(0);
  expect(strikes.takeReleased()).toEqual(["acme/a"]);
  expect(strikes.isApart("acme/a")).toBe(true);
  clock.advance(strikeTtlMs);
  expect(strikes.takeReleased()).toEqual(["acme/a"]);
  expect(strikes.isApart("acme/a")).toBe(false);
  expect(strikes.counts()).toEqual({ apart: 0, paused: 0 });
});

test("Strikes that are old do not add up", () => {
  const clock = manualClock(0);
  const strikes = new Strikes(clock);
  for (let at = 0; at < 10; at += 1) {
    expect(strikes.strike("acme/a")).toBe(false);
    clock.advance(strikeTtlMs / 2);
  }
});

const evidence: Evidence = {
  exit: { code: 1, signal: null },
  stderr: [],
  looped: false,
  residentMb: 80,
  residentMbMax: 128,
  oomKills: 0,
};

test("causeOf() tells memory from CPU from everything else", () => {
  expect(causeOf(evidence)).toBe("crash");
  expect(causeOf({ ...evidence, exit: { code: null, signal: "SIGKILL" } })).toBe("crash");
  expect(causeOf({ ...evidence, looped: true })).toBe("cpu");
  expect(causeOf({ ...evidence, looped: true, residentMb: 400 })).toBe("memory");
  expect(causeOf({ ...evidence, oomKills: 1 })).toBe("memory");
  const stderr = ["fatal: V8 fatal error; message = JavaScript heap out of memory"];
  expect(causeOf({ ...evidence, stderr })).toBe("memory");
});

test("blameFor() strikes a sole suspect and tries several apart", () => {
  const alone = { cause: "cpu" as const, suspects: suspectsOf([], [entry("acme/a")]) };
  expect(blameFor(alone, false)).toEqual({ struck: "acme/a", apart: [] });
  expect(reasonFor(alone, "acme/a")).toBe("CPU_EXCEEDED");
  expect(reasonFor(alone, "acme/b")).toBe("CELL_LOST");
  const both = {
    cause: "memory" as const,
    suspects: suspectsOf([], [entry("acme/a"), entry("acme/b")]),
  };
  expect(blameFor(both, false)).toEqual({ struck: undefined, apart: ["acme/a", "acme/b"] });
  expect(reasonFor(both, "acme/b")).toBe("MEMORY_EXCEEDED");
  expect(reasonFor({ ...both, cause: "crash" }, "acme/b")).toBe("CELL_LOST");
});

test("who lingers behind an answer is a suspect, and apart once it happens again", () => {
  const cause = "cpu" as const;
  const behind = { cause, suspects: suspectsOf([], [entry("acme/a")], ["acme/b", "acme/a"]) };
  expect(behind.suspects).toMatchObject({ likeliest: "acme/a", isCertain: false });
  expect(blameFor(behind, false)).toEqual({ struck: undefined, apart: ["acme/a"] });
  expect(blameFor(behind, true)).toEqual({ struck: undefined, apart: ["acme/b", "acme/a"] });
  const nobodyElse = { cause, suspects: suspectsOf([], [], ["acme/b"]) };
  expect(blameFor(nobodyElse, false)).toEqual({ struck: "acme/b", apart: [] });
  const idle = { cause, suspects: suspectsOf([], [], ["acme/b", "acme/c"]) };
  expect(blameFor(idle, false)).toEqual({ struck: undefined, apart: ["acme/b", "acme/c"] });
});

function entry(app: string) {
  return { id: "exe_1", app, version: 1 };
}

test("Strikes give a few apps of an organization a cell each, and the others one together", () => {
  const strikes = new Strikes(manualClock(1_000_000));
  const apps = Array.from({ length: 6 }, (_, at) => `many/${at}`);
  for (const app of apps) strikes.setApart(app);
  expect(apps.filter((app) => strikes.isAlone(app))).toEqual(apps.slice(0, 4));
  expect(apps.every((app) => strikes.isApart(app))).toBe(true);
});
