/** What isolation by organization costs: the same requests spread over ten cells. */
import { type BenchPlatform, greetingApp } from "../platform.ts";
import { inTurn } from "../rounds.ts";
import type { Row } from "../row.ts";
import { median, medianRatio } from "../statistics.ts";
import { oursUnderLoad } from "./warm.ts";

const ORGANIZATIONS = 10;

export const row: Row = {
  name: "ten-organizations",
  bar: "CPU of front and cells per request with ten organizations ≤ 1.1 × one organization's",
  async run(context) {
    const platform = await context.freshPlatform();
    const hosts: string[] = [];
    for (let at = 1; at <= ORGANIZATIONS; at += 1) hosts.push(await newOrganization(platform, at));
    const one = oursUnderLoad(context, platform, hosts.slice(0, 1));
    const ten = oursUnderLoad(context, platform, hosts);
    await inTurn(1, { one, ten }); // Warms both up
    const cost = await inTurn(context.rounds, { one, ten });
    const [ones, tens] = [cost.one, cost.ten].map((samples) =>
      samples.map(({ micros }) => micros.front + micros.cells),
    ) as [number[], number[]];
    return [
      {
        what: "CPU per request, front and cells",
        value: median(tens),
        unit: "µs",
        peer: { name: "one organization", value: median(ones) },
        ratio: medianRatio(tens, ones),
        bar: { of: "ratio", max: 1.1 },
      },
    ];
  },
};

async function newOrganization(platform: BenchPlatform, at: number): Promise<string> {
  const name = `bench${at}`;
  const { secret } = await platform.client.admin.createOrganization({ name });
  await platform.deploy(`${name}/warm`, greetingApp, { key: secret });
  return platform.hostOf(`${name}/warm`);
}
