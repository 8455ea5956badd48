/** How soon a platform that was there before answers again. */
import { greetingApp, startBenchPlatform } from "../platform.ts";
import type { Row } from "../row.ts";
import { median } from "../statistics.ts";
import { Caller, expectBody } from "../caller.ts";
import { greeting } from "../peers/peer.ts";

const STARTS = 3;

export const row: Row = {
  name: "restart",
  bar: "second start → ready ≤ 3 s",
  async run(context) {
    let platform = await context.freshPlatform();
    const name = `${platform.org}/restart`;
    await platform.deploy(name, greetingApp);
    const { dataDir } = platform;
    const [readies, answers]: [number[], number[]] = [[], []];
    for (let at = 0; at < STARTS; at += 1) {
      await platform.stop();
      const startMs = performance.now();
      platform = await startBenchPlatform({ dataDir });
      readies.push((performance.now() - startMs) / 1000);
      const caller = new Caller(platform.port);
      expectBody(await caller.get(platform.hostOf(name)), greeting);
      answers.push((performance.now() - startMs) / 1000);
      caller.close();
    }
    await platform.stop();
    return [
      {
        what: "start → ready, median",
        value: median(readies),
        unit: "s",
        bar: { of: "value", max: 3 },
      },
      { what: "start → first answer of an app, median", value: median(answers), unit: "s" },
    ];
  },
};
