/** What is said between the daemon and the threads that compile. All of it can be cloned. */
import type { Walls } from "../../compiler/jail.ts";
import type { CompileRequest, CompileResult, CompileSink } from "../../compiler/request.ts";
import type { IgniteErrorInit } from "../../core/errors.ts";

/** One compile, from the archive on. */
export interface CompileTask {
  /** Path of the source archive. */
  archive: string;
  walls: Walls;
  /** `folders.source` and `folders.output` are there and empty. */
  request: Omit<CompileRequest, "signal">;
}

/** What a compile says meanwhile. */
export type CompileStep =
  | { kind: "log"; stream: "stdout" | "stderr" | "system"; text: string }
  | { kind: "diagnostic"; diagnostic: Parameters<CompileSink["diagnostic"]>[0] }
  | { kind: "progress"; phase: string; done: number; total: number };

/** To a thread: a task, or that nobody waits for the one it has. */
export type ToThread = { kind: "task"; task: CompileTask } | { kind: "cancel" };

/** From a thread. `idle` says whether it is fit for a next task. */
export type FromThread =
  | { kind: "steps"; steps: readonly CompileStep[] }
  | { kind: "result"; result: CompileResult; idle: boolean }
  | { kind: "error"; error: IgniteErrorInit; idle: boolean };
