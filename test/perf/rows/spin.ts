/** A guest that never returns: what its neighbours notice, the first time and the second. */
import { Caller } from "../caller.ts";
import { type BenchPlatform, greetingApp } from "../platform.ts";
import type { Line, Row } from "../row.ts";
import { Watcher } from "../watcher.ts";

const SPINNER = `export default {
  fetch(request) {
    if (new URL(request.url).pathname === "/spin") for (;;);
    return new Response("calm");
  },
};
`;
const SETTLE_MS = 1_000; // Watched before and after as well
const UNNOTICED_MS = 100; // What two busy cores alone can cost a caller

export const row: Row = {
  name: "spin",
  bar: "a guest spinning for ever: outage of the other apps of its organization ≤ 1 s once, none the second time; of other organizations none",
  async run(context) {
    const platform = await context.freshPlatform();
    const { org } = platform;
    const { secret } = await platform.client.admin.createOrganization({ name: "stranger" });
    await platform.deploy(`${org}/spinner`, SPINNER);
    await platform.deploy(`${org}/neighbour`, greetingApp);
    await platform.deploy("stranger/calm", greetingApp, { key: secret });
    const lines: Line[] = [];
    for (const [at, time] of ["first", "second"].entries()) {
      const { neighbour, stranger, answer } = await spin(platform);
      const line = (what: string, value: number, max: number, failures: number): Line => ({
        what: `${time} time: outage of ${what}`,
        value,
        unit: "ms",
        bar: { of: "value", max },
        note: `${failures} failed requests`,
      });
      lines.push(
        line(
          "its organization",
          neighbour.outageMs,
          at === 0 ? 1_000 : UNNOTICED_MS,
          neighbour.failures,
        ),
        line("another organization", stranger.outageMs, UNNOTICED_MS, stranger.failures),
        {
          what: `${time} time: spin → its answer`,
          value: answer.tookMs,
          unit: "ms",
          note: answer.text,
        },
      );
    }
    return lines;
  },
};

async function spin(platform: BenchPlatform) {
  const caller = new Caller(platform.port, { keepAlive: false });
  const watchers = {
    neighbour: new Watcher(platform.port, platform.hostOf(`${platform.org}/neighbour`)),
    stranger: new Watcher(platform.port, platform.hostOf("stranger/calm")),
  };
  await settle();
  const spun = await caller.get(platform.hostOf(`${platform.org}/spinner`), "/spin");
  await settle();
  caller.close();
  return {
    neighbour: await watchers.neighbour.stop(),
    stranger: await watchers.stranger.stop(),
    answer: { tookMs: spun.doneMs - spun.sentMs, text: `${spun.status} ${reasonOf(spun.body)}` },
  };
}

/** The reason in a problem document, or the text as it is. */
export function reasonOf(body: string): string {
  try {
    return (JSON.parse(body) as { reason?: string }).reason ?? body;
  } catch {
    return body;
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}
