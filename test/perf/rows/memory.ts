/** What an app that does nothing keeps in memory. */
import { Caller, expectBody } from "../caller.ts";
import { greeting } from "../peers/peer.ts";
import { greetingApp } from "../platform.ts";
import { residentBytes } from "../processes.ts";
import { namesOf, Publisher } from "../publisher.ts";
import type { Row } from "../row.ts";

const APPS = 100; // Below the number at which a cell evicts
const APPS_WARMUP = 20;

export const row: Row = {
  name: "memory",
  bar: "resident memory per idle app ≤ 2 MB",
  async run(context) {
    const platform = await context.freshPlatform();
    const bare = await context.peer("barest-loader");
    const { org } = platform;
    const { version } = await platform.deploy(`${org}/idle`, greetingApp);
    const publisher = await Publisher.of(platform);
    const artifact = await publisher.artifactOf(`${org}/idle`, version);
    const artifacts = await publisher.copiesOf(artifact, APPS + APPS_WARMUP);
    const names = namesOf(org, "idle", artifacts.length);
    await publisher.publish(
      names.map((name, at) => ({ name, artifact: artifacts[at] ?? artifact })),
    );
    const run = `${Date.now()}`; // The peer may have seen the names of an earlier row
    const perApp = await growth(platform.port, names.map(platform.hostOf), () => [
      ...platform.pids().cells,
    ]);
    const peer = await growth(
      bare.port,
      names.map((_, at) => `idle-${at}-${run}.localhost`),
      bare.pids,
    );
    return [
      {
        what: "resident memory per idle app",
        value: perApp,
        unit: "MB",
        peer: { name: "barest-loader", value: peer },
        ratio: perApp / peer,
        bar: { of: "value", max: 2 },
        note: `growth of the cells over ${APPS} apps`,
      },
    ];
  },
};

/** Megabytes per app by which processes grow when each host is called once. */
async function growth(
  port: number,
  hosts: readonly string[],
  pids: () => readonly number[],
): Promise<number> {
  const caller = new Caller(port);
  const resident = () => pids().reduce((sum, pid) => sum + residentBytes(pid), 0);
  for (const host of hosts.slice(0, APPS_WARMUP)) expectBody(await caller.get(host), greeting);
  const before = resident();
  for (const host of hosts.slice(APPS_WARMUP)) expectBody(await caller.get(host), greeting);
  const after = resident();
  caller.close();
  return (after - before) / (hosts.length - APPS_WARMUP) / 1e6;
}
