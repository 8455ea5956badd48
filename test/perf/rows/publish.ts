/** From the acknowledgement of a publish or a rollback to the last answer of the version before. */
import { Caller } from "../caller.ts";
import { appRef } from "../../../sdk/names.ts";
import type { BenchPlatform } from "../platform.ts";
import type { Row } from "../row.ts";
import { maximum, median, percentile } from "../statistics.ts";

const ROLLBACKS = 60;
const PUBLISHES = 8;
const CALLERS = 4;
const WATCH_MS = 300; // Twice the bar: an old answer after that is found too

export const row: Row = {
  name: "publish",
  bar: "publish or rollback acknowledged → every cell serves it, p99 ≤ 150 ms",
  async run(context) {
    const platform = await context.platform();
    const name = `${platform.org}/publish`;
    for (const version of [1, 2]) await platform.deploy(name, appSaying(`v${version}`));
    const app = appRef(name);
    const changes: Change[] = [];
    const rollbacks = context.full ? ROLLBACKS * 2 : ROLLBACKS;
    for (let at = 0; at < rollbacks; at += 1) {
      const version = 1 + (at % 2);
      const call = () => platform.client.compute.rollback({ app, version });
      changes.push(await changeTo(platform, name, { body: `v${version}`, call }));
    }
    for (let at = 1; at <= PUBLISHES; at += 1) {
      const body = `new ${at}`;
      const { version } = await platform.deploy(name, appSaying(body), { flags: ["--no-publish"] });
      const call = () => platform.client.compute.publishVersion({ app, version });
      changes.push(await changeTo(platform, name, { body, call }));
    }
    const lags = changes.map(({ lagMs }) => lagMs);
    const calls = changes.map(({ callMs }) => callMs);
    return [
      {
        what: "acknowledged → last old answer was asked for, p99",
        value: percentile(lags, 99),
        unit: "ms",
        bar: { of: "value", max: 150 },
        note: `${rollbacks} rollbacks and ${PUBLISHES} publishes under ${CALLERS} callers; largest ${maximum(lags).toFixed(1)} ms`,
      },
      { what: "call → acknowledged, median", value: median(calls), unit: "ms" },
    ];
  },
};

/** How long a change took to be acknowledged, and to be the only answer after that. */
interface Change {
  callMs: number;
  lagMs: number;
}

function appSaying(text: string): string {
  return `export default { fetch: () => new Response(${JSON.stringify(text)}) };\n`;
}

/** Makes a change while callers go on asking, before, during and after it. */
async function changeTo(
  platform: BenchPlatform,
  name: string,
  { body, call }: { body: string; call: () => Promise<unknown> },
): Promise<Change> {
  const host = platform.hostOf(name);
  let untilMs = Number.POSITIVE_INFINITY;
  let lastOldMs = 0;
  const callers = Array.from({ length: CALLERS }, async () => {
    const caller = new Caller(platform.port);
    while (performance.now() < untilMs) {
      const answer = await caller.get(host);
      if (answer.status !== 200) throw new Error(`${host}: ${answer.status} ${answer.body}`);
      if (answer.body !== body) lastOldMs = Math.max(lastOldMs, answer.sentMs);
    }
    caller.close();
  });
  const startMs = performance.now();
  const acknowledged = call().then(() => {
    const nowMs = performance.now();
    untilMs = nowMs + WATCH_MS;
    return nowMs;
  });
  const [ackMs] = await Promise.all([
    acknowledged.catch((error) => {
      untilMs = 0;
      throw error;
    }),
    ...callers,
  ]);
  return { callMs: ackMs - startMs, lagMs: Math.max(0, lastOldMs - ackMs) };
}
