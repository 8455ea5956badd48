/**
 * Guests that take all the memory they can get: what others notice, and what their callers read.
 */
import { Caller } from "../caller.ts";
import { type BenchPlatform, greetingApp } from "../platform.ts";
import { namesOf, Publisher } from "../publisher.ts";
import type { Line, Row } from "../row.ts";
import { maximum, median } from "../statistics.ts";
import { Watcher } from "../watcher.ts";
import { reasonOf } from "./spin.ts";

/** Each runs in a loop, so that what is measured is the limit and not one refused allocation. */
const GROWTH = {
  "JS heap": `const kept = []; for (;;) kept.push({ at: kept.length, text: "x".repeat(64) + kept.length });`,
  ArrayBuffer: `const kept = []; for (;;) kept.push(new Uint8Array(8 << 20).fill(kept.length + 1));`,
  Wasm: `const kept = [];
    for (;;) {
      const memory = new WebAssembly.Memory({ initial: 512 });
      new Uint8Array(memory.buffer).fill(kept.length + 1);
      kept.push(memory);
    }`,
} as const;
const BOMBS = 20;

export const row: Row = {
  name: "bombs",
  bar: "JS heap, ArrayBuffer and Wasm memory bombs, 20 each: errors of other cells 0; time to the guest's typed 503 ≤ 5 s",
  async run(context) {
    const platform = await context.freshPlatform();
    const { secret } = await platform.client.admin.createOrganization({ name: "stranger" });
    await platform.deploy("stranger/calm", greetingApp, { key: secret });
    const lines: Line[] = [];
    for (const [kind, growth] of Object.entries(GROWTH)) {
      context.progress(`  ${BOMBS} bombs of kind ${kind}`);
      lines.push(...(await explode(platform, kind, growth)));
    }
    return lines;
  },
};

/** Calls twenty apps, none of which has a record yet, one after the other. */
async function explode(platform: BenchPlatform, kind: string, growth: string): Promise<Line[]> {
  const { org } = platform;
  const stem = `bomb-${kind.toLowerCase().replaceAll(" ", "-")}`;
  const { version } = await platform.deploy(`${org}/${stem}`, bombOf(growth));
  const publisher = await Publisher.of(platform);
  const artifact = await publisher.artifactOf(`${org}/${stem}`, version);
  const names = namesOf(org, stem, BOMBS);
  await publisher.publish(names.map((name) => ({ name, artifact })));
  const watcher = new Watcher(platform.port, platform.hostOf("stranger/calm"));
  const caller = new Caller(platform.port, { keepAlive: false });
  const times: number[] = [];
  const reasons = new Map<string, number>();
  for (const name of names) {
    const answer = await caller.get(platform.hostOf(name), "/boom");
    times.push(answer.doneMs - answer.sentMs);
    const reason = `${answer.status} ${reasonOf(answer.body)}`;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  caller.close();
  const watched = await watcher.stop();
  const typed = [...reasons].filter(([reason]) => /^503 [A-Z_]+$/.test(reason));
  const untyped = BOMBS - typed.reduce((sum, [, count]) => sum + count, 0);
  return [
    {
      what: `${kind}: failed requests of another cell`,
      value: watched.failures,
      unit: "failures",
      bar: { of: "value", max: 0 },
      note: `of ${watched.requests}, longest wait ${watched.outageMs.toFixed(0)} ms${watched.firstFailure === undefined ? "" : `; ${watched.firstFailure}`}`,
    },
    {
      what: `${kind}: slowest answer to a bomb's caller`,
      value: maximum(times) / 1000,
      unit: "s",
      bar: { of: "value", max: 5 },
      note: `median ${median(times).toFixed(0)} ms; ${[...reasons].map(([reason, count]) => `${count} × ${reason}`).join(", ")}`,
    },
    {
      what: `${kind}: answers that were not a typed 503`,
      value: untyped,
      unit: "failures",
      bar: { of: "value", max: 0 },
    },
  ];
}

function bombOf(growth: string): string {
  return `export default {
  fetch(request) {
    if (new URL(request.url).pathname !== "/boom") return new Response("calm");
    ${growth}
  },
};
`;
}
