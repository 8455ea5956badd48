/**
 * One process of `ignite dev`, watched as the platform watches its cells: by the CPU time that it
 * uses without an answer, not by the clock, so that a breakpoint or a busy machine ends nothing.
 */
import { IgniteError } from "../../core/errors.ts";
import type { Cell } from "../../runtime/host/cells/cell.ts";
import { causeOf } from "../../runtime/host/watchdog/death.ts";
import { Monitor } from "../../runtime/host/watchdog/monitor.ts";
import type { WorkerdExit } from "../../runtime/host/workerd-process.ts";

const STDERR_LINES = 40;
const NEXT = "Its process was started again.";

const stderr = new WeakMap<Cell, string[]>();

/** Keeps the last lines that a cell wrote to stderr, which may tell why it ended. */
export function noteStderr(cell: Cell, line: string): void {
  const lines = stderr.get(cell) ?? [];
  stderr.set(cell, lines);
  lines.push(line);
  if (lines.length > STDERR_LINES) lines.shift();
}

/** A process that was ready. */
export class RunningCell {
  readonly cell: Cell;
  /** Resolves when the process has ended, with what to say to those who waited for it. */
  readonly lost: Promise<IgniteError>;
  readonly #monitor: Monitor;

  /** `loopCpuMs` is what the app may compute in one go. */
  constructor(cell: Cell, loopCpuMs: () => number) {
    this.cell = cell;
    this.#monitor = new Monitor(cell, {
      budgetMs: loopCpuMs,
      onVerdict: (verdict) => {
        if (verdict === "loop") void this.#monitor.end();
      },
      onRecords() {},
      onActive() {},
      onRecovered() {},
    });
    this.lost = cell.process.exited.then((exit) => this.#explain(exit, loopCpuMs()));
  }

  #explain(exit: WorkerdExit, loopCpuMs: number): IgniteError {
    const { residentMb, looped } = this.#monitor;
    const cause = causeOf({
      exit,
      stderr: stderr.get(this.cell) ?? [],
      looped,
      residentMb,
      residentMbMax: this.cell.class.memoryMb,
      oomKills: 0,
    });
    if (cause === "cpu") {
      const message = `The app computed for ${loopCpuMs} ms without a pause: an infinite loop?`;
      return new IgniteError({
        code: "resource_exhausted",
        reason: "CPU_EXCEEDED",
        message,
        hint: NEXT,
      });
    }
    if (cause === "memory") {
      const message = "The app used up its memory.";
      return new IgniteError({
        code: "resource_exhausted",
        reason: "MEMORY_EXCEEDED",
        message,
        hint: NEXT,
      });
    }
    const message = "The app's process ended.";
    return new IgniteError({ code: "unavailable", reason: "CELL_LOST", message, hint: NEXT });
  }
}
