/** From a request for an app that is not loaded to the first byte of its answer. */
import { Caller, expectBody } from "../caller.ts";
import { greeting } from "../peers/peer.ts";
import { greetingApp } from "../platform.ts";
import { namesOf, Publisher } from "../publisher.ts";
import type { Line, Row } from "../row.ts";
import { inTurn } from "../rounds.ts";
import { median, percentile } from "../statistics.ts";

const APPS = 100;
const APPS_WARMUP = 5;

export const row: Row = {
  name: "cold",
  bar: "cold start, artifact on local disk: p50 and p99 ≤ 1.5 × the barest Worker Loader's, aim 1.2; p50 ≤ 8 ms",
  async run(context) {
    const platform = await context.freshPlatform();
    const bare = await context.peer("barest-loader");
    const { org } = platform;
    const { version } = await platform.deploy(`${org}/cold`, greetingApp);
    const publisher = await Publisher.of(platform);
    const artifact = await publisher.artifactOf(`${org}/cold`, version);
    const artifacts = await publisher.copiesOf(artifact, APPS + APPS_WARMUP);
    const names = namesOf(org, "cold", artifacts.length);
    await publisher.publish(
      names.map((name, at) => ({ name, artifact: artifacts[at] ?? artifact })),
    );
    const callers = { ours: new Caller(platform.port), bare: new Caller(bare.port) };
    const run = `${Date.now()}`; // The peer may have seen the names of an earlier row
    const firstByte = async (caller: Caller, host: string) => {
      const { sentMs, firstByteMs } = expectBody(await caller.get(host), greeting);
      return firstByteMs - sentMs;
    };
    let [next, nextBare] = [0, 0];
    const contenders = {
      ours: () => firstByte(callers.ours, platform.hostOf(names[next++] ?? "")),
      bare: () => firstByte(callers.bare, `cold-${nextBare++}-${run}.localhost`),
    };
    await inTurn(APPS_WARMUP, contenders);
    const { ours, bare: peers } = await inTurn(APPS, contenders);
    for (const caller of Object.values(callers)) caller.close();
    const compare = (percent: number): Line => {
      const [value, peer] = [percentile(ours, percent), percentile(peers, percent)];
      return {
        what: `cold start, p${percent}`,
        value,
        unit: "ms",
        peer: { name: "barest-loader", value: peer },
        ratio: value / peer,
        bar: { of: "ratio", max: 1.5, aim: 1.2 },
      };
    };
    return [
      { ...compare(50), note: `${APPS} apps that were never called, one after the other` },
      compare(99),
      {
        what: "cold start, median",
        value: median(ours),
        unit: "ms",
        bar: { of: "value", max: 8 },
      },
    ];
  },
};
