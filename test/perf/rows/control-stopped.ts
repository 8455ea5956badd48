/** Published apps while the control plane, its store and the region stand still. */
import { Caller } from "../caller.ts";
import { load } from "../load.ts";
import { type BenchPlatform, greetingApp } from "../platform.ts";
import { namesOf, Publisher } from "../publisher.ts";
import type { Row } from "../row.ts";

const STOPPED_S = 15;
const STOPPED_S_FULL = 60;
const LOAD_S = 5;
const CONNECTIONS = 4; // Leaves room for the cold starts beside
const COLD_PER_SECOND = 5;

export const row: Row = {
  name: "control-stopped",
  bar: "control plane stopped for 60 s under load: failed invocations of published apps, warm and cold, 0",
  async run(context) {
    const platform = await context.freshPlatform();
    const { org } = platform;
    const { version } = await platform.deploy(`${org}/warm`, greetingApp);
    const publisher = await Publisher.of(platform);
    const artifact = await publisher.artifactOf(`${org}/warm`, version);
    const seconds = context.full ? STOPPED_S_FULL : STOPPED_S;
    const colds = namesOf(org, "cold", seconds * COLD_PER_SECOND);
    await publisher.publish(colds.map((name) => ({ name, artifact })));
    const stopped = controlPids(platform);
    for (const pid of stopped) process.kill(pid, "SIGSTOP");
    try {
      const endMs = performance.now() + seconds * 1000;
      const [warm, cold] = await Promise.all([
        loadUntil(platform, platform.hostOf(`${org}/warm`), endMs),
        callAll(platform, colds.map(platform.hostOf)),
      ]);
      return [
        {
          what: `failed warm requests in ${seconds} s`,
          value: warm.failed,
          unit: "failures",
          bar: { of: "value", max: 0 },
          note: `of ${warm.requests}; ${stopped.length} processes stopped`,
        },
        {
          what: `failed cold starts in ${seconds} s`,
          value: cold.failed,
          unit: "failures",
          bar: { of: "value", max: 0 },
          note: `of ${colds.length}${cold.first === undefined ? "" : `; ${cold.first}`}`,
        },
      ];
    } finally {
      for (const pid of stopped) process.kill(pid, "SIGCONT");
    }
  },
};

/** The processes of the planes that serving must not need. */
function controlPids(platform: BenchPlatform): number[] {
  const { cells } = platform.pids();
  const isControl = (name: string, command: string) =>
    (name === "workerd" && /control/.test(command)) || /region\/(store\/)?main\.ts/.test(command);
  const found = platform
    .tree()
    .filter(({ pid, name, command }) => !cells.includes(pid) && isControl(name, command));
  if (found.length < 3) throw new Error("control, store and region were not all found");
  return found.map(({ pid }) => pid);
}

async function loadUntil(platform: BenchPlatform, host: string, endMs: number) {
  const sum = { requests: 0, failed: 0 };
  while (performance.now() < endMs) {
    const { port } = platform;
    const result = await load({ port, hosts: [host], seconds: LOAD_S, connections: CONNECTIONS });
    sum.requests += result.requests;
    sum.failed += result.failed + result.broken;
  }
  return sum;
}

/** Calls each once, at an even pace. */
async function callAll(platform: BenchPlatform, hosts: readonly string[]) {
  const caller = new Caller(platform.port);
  let failed = 0;
  let first: string | undefined;
  for (const host of hosts) {
    const pause = new Promise((resolve) => setTimeout(resolve, 1000 / COLD_PER_SECOND));
    const { status, body } = await caller.get(host);
    if (status !== 200) {
      failed += 1;
      first ??= `${status} ${body}`;
    }
    await pause;
  }
  caller.close();
  return { failed, first };
}
