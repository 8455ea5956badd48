/** Measures contenders in turn, A B A B, so that what disturbs the machine disturbs them alike. */
import { type LoadResult, load } from "./load.ts";
import { cpuMicros } from "./processes.ts";

/** What contenders measured, by name and in the order of the rounds. */
export type Rounds<Contenders extends Record<string, () => Promise<unknown>>> = {
  [Name in keyof Contenders]: Awaited<ReturnType<Contenders[Name]>>[];
};

/** Runs every contender once per round. */
export async function inTurn<Contenders extends Record<string, () => Promise<unknown>>>(
  rounds: number,
  contenders: Contenders,
): Promise<Rounds<Contenders>> {
  const entries = Object.entries(contenders);
  const results = Object.fromEntries(entries.map(([name]) => [name, [] as unknown[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, measure] of entries) results[name]?.push(await measure());
  }
  return results as Rounds<Contenders>;
}

/** A server under load, its processes in groups whose time is told apart. */
export interface Loaded<Group extends string> {
  port: number;
  hosts: readonly string[];
  seconds: number;
  pids: Readonly<Record<Group, readonly number[]>>;
}

/** Load and what it cost: CPU microseconds per request by group of processes. */
export interface LoadCost<Group extends string> extends LoadResult {
  micros: Record<Group, number>;
}

/** Loads a server and reads what its processes used for it. Fails when an answer was not right. */
export async function costOf<Group extends string>(
  loaded: Loaded<Group>,
): Promise<LoadCost<Group>> {
  const groups = Object.entries(loaded.pids) as [Group, readonly number[]][];
  const before = groups.map(([, pids]) => cpuMicros(pids));
  const result = await load(loaded);
  const after = groups.map(([, pids]) => cpuMicros(pids));
  if (result.failed + result.broken > 0) {
    throw new Error(`${result.failed} failed and ${result.broken} unanswered requests under load`);
  }
  const micros = groups.map(
    ([group], at) => [group, ((after[at] ?? 0) - (before[at] ?? 0)) / result.requests] as const,
  );
  return { ...result, micros: Object.fromEntries(micros) as Record<Group, number> };
}
