/** What a warm request costs, beside servers that isolate less. */
import type { BenchPlatform } from "../platform.ts";
import { greetingApp } from "../platform.ts";
import type { Line, PeerName, Row, RowContext } from "../row.ts";
import { costOf, inTurn } from "../rounds.ts";
import { median, medianRatio } from "../statistics.ts";

const PEERS = ["barest-loader", "static-workerd", "deno-serve", "node-http"] as const;

export const row: Row = {
  name: "warm",
  bar: "CPU of front and cell per warm request ≤ 1.35 × the barest Worker Loader's, aim 1.15",
  async run(context) {
    const platform = await context.platform();
    const { org } = platform;
    await platform.deploy(`${org}/warm`, greetingApp);
    const ours = oursUnderLoad(context, platform, [platform.hostOf(`${org}/warm`)]);
    const peers = await Promise.all(PEERS.map((name) => peerUnderLoad(context, name)));
    const [bare, fixed, deno, node] = peers;
    if (!bare || !fixed || !deno || !node) throw new Error("each peer has its contender");
    await inTurn(1, { ours, bare, fixed, deno, node }); // Warms all up
    const cost = await inTurn(context.rounds, { ours, bare, fixed, deno, node });
    const serving = cost.ours.map(({ micros }) => micros.front + micros.cells);
    const whole = cost.ours.map(({ micros }) => micros.front + micros.cells + micros.rest);
    const against = (what: string, values: readonly number[], name: PeerName): Line => {
      const peerCost = [cost.bare, cost.fixed, cost.deno, cost.node][PEERS.indexOf(name)] ?? [];
      const micros = peerCost.map((sample) => sample.micros.peer);
      return {
        what,
        value: median(values),
        unit: "µs",
        peer: { name, value: median(micros) },
        ratio: medianRatio(values, micros),
      };
    };
    const parts = (["front", "cells", "rest"] as const).map(
      (part) => `${part} ${median(cost.ours.map(({ micros }) => micros[part])).toFixed(0)}`,
    );
    const perSecond = median(cost.ours.map((sample) => sample.perSecond)).toFixed(0);
    return [
      {
        ...against("CPU per request, front and cell", serving, "barest-loader"),
        bar: { of: "ratio", max: 1.35, aim: 1.15 },
        note: `${parts.join(", ")} µs; ${perSecond} requests/s`,
      },
      against("CPU per request, all processes", whole, "barest-loader"),
      ...PEERS.slice(1).map((name) => against("CPU per request, front and cell", serving, name)),
    ];
  },
};

/** Loads apps of a platform. */
export function oursUnderLoad(
  { seconds }: RowContext,
  platform: BenchPlatform,
  hosts: readonly string[],
) {
  return () => costOf({ port: platform.port, hosts, seconds, pids: platform.pids() });
}

async function peerUnderLoad(context: RowContext, name: PeerName) {
  const { port, pids } = await context.peer(name);
  const { seconds } = context;
  return () => costOf({ port, hosts: ["app.localhost"], seconds, pids: { peer: pids() } });
}
