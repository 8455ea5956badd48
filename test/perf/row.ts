/** What a row of the table is, and what it works with. */
import type { Peer } from "./peers/peer.ts";
import type { BenchPlatform } from "./platform.ts";

/** One subject of the benchmark; rows/<name>.ts exports it as `row`. */
export interface Row {
  name: string;
  /** What is promised, as docs/specification.md says it. */
  bar: string;
  /** Only measured with --full, because it takes minutes. */
  slow?: boolean;
  /** Measures; bounded in time. What it starts by itself it also ends. */
  run(context: RowContext): Promise<Line[]>;
}

/** One number. */
export interface Line {
  what: string;
  /** Ours, or the only one. */
  value: number;
  unit: "µs" | "ms" | "s" | "MB" | "%" | "requests" | "failures" | "packages";
  /** The same of a peer, measured in the same run. */
  peer?: { name: string; value: number };
  /** Ours by the peer's; the median of the rounds' ratios where there were rounds. */
  ratio?: number;
  /** What is promised of the ratio, or of the value. */
  bar?: Bar;
  note?: string;
}

/** A promise: at most `max`; `aim` is what we would like. */
export interface Bar {
  of: "ratio" | "value";
  max: number;
  aim?: number;
}

/** What rows share. Peers and platform start when first asked for and end with the run. */
export interface RowContext {
  /** Everything, also what takes minutes. */
  full: boolean;
  /** How often each is measured, in turn. */
  rounds: number;
  /** Of each round of load. */
  seconds: number;
  peer(name: PeerName): Promise<Peer>;
  platform(): Promise<BenchPlatform>;
  /** A platform of the row's own, for what would disturb others; ends with the row. */
  freshPlatform(): Promise<BenchPlatform>;
  /** Tells how it goes. */
  progress(what: string): void;
}

/** What we compare with. */
export type PeerName = "barest-loader" | "static-workerd" | "deno-serve" | "node-http";

/** Whether the number is within its bar; undefined without a bar. */
export function isMet({ bar, ratio, value }: Line): boolean | undefined {
  if (bar === undefined) return undefined;
  const measured = bar.of === "ratio" ? (ratio ?? Number.NaN) : value;
  return measured <= bar.max;
}
