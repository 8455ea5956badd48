/** Many apps, few of them popular, in a cell that has room for a fifth of them. */
import { Caller } from "../caller.ts";
import { type BenchPlatform, greetingApp } from "../platform.ts";
import { residentBytes } from "../processes.ts";
import { namesOf, Publisher } from "../publisher.ts";
import type { Row } from "../row.ts";
import { drawer, drift, median, percentile, zipfShares } from "../statistics.ts";

const APPS = 1_000;
const CALLERS = 8;
const REQUESTS = 20_000;
const REQUESTS_FULL = 360_000; // An hour at a hundred a second
const SAMPLES = 24;

export const row: Row = {
  name: "zipf",
  bar: "1,000 apps under a Zipf trace with room for 200: warm-hit rate, p99 and memory reported; memory flat",
  async run(context) {
    const platform = await context.freshPlatform();
    const { org } = platform;
    const { version } = await platform.deploy(`${org}/zipf`, greetingApp);
    const publisher = await Publisher.of(platform);
    const artifact = await publisher.artifactOf(`${org}/zipf`, version);
    const names = namesOf(org, "zipf", APPS);
    await publisher.publish(names.map((name) => ({ name, artifact })));
    const requests = context.full ? REQUESTS_FULL : REQUESTS;
    const trace = new Trace(platform, names.map(platform.hostOf));
    await trace.run(requests / 8); // Fills the cell
    trace.reset();
    const memory: number[] = [];
    const cells = new Set<number>();
    for (let at = 0; at < SAMPLES; at += 1) {
      await trace.run(Math.ceil(requests / SAMPLES));
      memory.push(residentOf(platform));
      for (const pid of platform.pids().cells) cells.add(pid);
    }
    trace.close();
    const { firstBytes, colds, failures, firstFailure = "none" } = trace;
    const total = firstBytes.length;
    return [
      { what: "answered without a load", value: (1 - colds / total) * 100, unit: "%" },
      { what: "first byte, p50", value: percentile(firstBytes, 50), unit: "ms" },
      { what: "first byte, p99", value: percentile(firstBytes, 99), unit: "ms" },
      {
        what: "failed requests",
        value: failures,
        unit: "failures",
        bar: { of: "value", max: 0 },
        note: `first: ${firstFailure}`,
      },
      { what: "resident memory of the cells", value: median(memory), unit: "MB" },
      {
        what: "growth of that memory, first to last third",
        value: drift(memory) * 100,
        unit: "%",
        bar: { of: "value", max: 10 },
        note: `${total} requests, ${CALLERS} at a time, ${cells.size} cell processes seen (two when none is replaced); MB: ${memory.map((megabytes) => megabytes.toFixed(0)).join(" ")}`,
      },
    ];
  },
};

/** Callers that draw from one trace. */
class Trace {
  readonly #callers: Caller[];
  readonly #hosts: readonly string[];
  readonly #draw = drawer(zipfShares(APPS), 1);
  firstBytes: number[] = [];
  colds = 0;
  failures = 0;
  firstFailure: string | undefined;

  constructor(platform: BenchPlatform, hosts: readonly string[]) {
    this.#hosts = hosts;
    this.#callers = Array.from({ length: CALLERS }, () => new Caller(platform.port));
  }

  /** Sends so many requests and waits for the last answer. */
  async run(requests: number): Promise<void> {
    let left = requests;
    await Promise.all(
      this.#callers.map(async (caller) => {
        while (left > 0) {
          left -= 1;
          await this.#ask(caller);
        }
      }),
    );
  }

  /** Forgets what was counted. */
  reset(): void {
    this.firstBytes = [];
    this.colds = 0;
    this.failures = 0;
    this.firstFailure = undefined;
  }

  close(): void {
    for (const caller of this.#callers) caller.close();
  }

  async #ask(caller: Caller): Promise<void> {
    const host = this.#hosts[this.#draw()] ?? "";
    const answer = await caller.get(host, "/", { "ignite-timing": "1" });
    this.firstBytes.push(answer.firstByteMs - answer.sentMs);
    if (answer.status !== 200) {
      this.failures += 1;
      this.firstFailure ??= `${answer.status} ${answer.body}`;
    }
    if (`${answer.headers["server-timing"]}`.includes("start;")) this.colds += 1;
  }
}

function residentOf(platform: BenchPlatform): number {
  const { cells } = platform.pids();
  return cells.reduce((sum, pid) => sum + residentBytes(pid), 0) / 1e6;
}
