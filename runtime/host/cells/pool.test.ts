import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { closedAfterEach } from "../testing/edge-fixture.ts";

const start = closedAfterEach();

const HELLO = `export default { fetch() { return new Response("hello"); } };`;
/** Answers `/` when it was called at `/go`. */
const GATED = `let open = false;
export default { async fetch(request) {
  open ||= new URL(request.url).pathname === "/go";
  while (!open) await new Promise((done) => setTimeout(done, 10));
  return new Response("open");
} };`;
const SLOW = `export default { async fetch() {
  await new Promise((done) => setTimeout(done, 500));
  return new Response("slow");
} };`;

test("more organizations than cells take turns, and each slot has one cell", async () => {
  const { edge, publish, call } = await start({ cellsMax: 3, spares: 0 });
  const names = Array.from({ length: 7 }, (_, at) => `org-${at}/hello`);
  for (const name of names) await publish(name, HELLO);
  for (let round = 0; round < 3; round += 1) {
    const answers = await Promise.all([...names, ...names].map((name) => call(name)));
    for (const { status, text } of answers) {
      if (status === 200) expect(text).toBe("hello");
      else expect([status, JSON.parse(text).reason]).toEqual([503, "OVERLOADED"]);
    }
  }
  for (const name of names) await expect.poll(async () => (await call(name)).status).toBe(200);
  const { cells } = edge.health();
  expect(cells.length).toBeLessThanOrEqual(3);
  expect(new Set(cells.map(({ id }) => id)).size).toBe(cells.length);
});

test("a request that runs never loses its cell to another organization", async () => {
  const { edge, publish, call } = await start({ cellsMax: 1, spares: 0 });
  await publish("acme/gated", GATED);
  await publish("other/hello", HELLO);
  const running = call("acme/gated");
  await expect.poll(() => edge.health().cells[0]?.inflight).toBe(1);
  const refused = await call("other/hello");
  expect([refused.status, JSON.parse(refused.text).reason]).toEqual([503, "OVERLOADED"]);
  await call("acme/gated", "/go");
  expect((await running).text).toBe("open");
  await expect.poll(async () => (await call("other/hello")).status).toBe(200);
});

test("trials of one organization leave the cells to others", async () => {
  const { edge, publish, call } = await start({ cellsMax: 4, spares: 0 });
  const artifact = await publish("flood/slow", SLOW);
  await publish("acme/gated", GATED);
  const running = call("acme/gated");
  await expect.poll(() => edge.health().cells[0]?.inflight).toBe(1);
  const version = { versionId: "ver_1", number: 1, artifact, vars: {} };
  const requests = [{ method: "GET", path: "/" }];
  const trial = { app: "flood/slow", version, requests };
  const trials = Array.from({ length: 6 }, () => edge.tryVersion(trial));
  const results = await Promise.all(trials);
  expect(results.filter(({ ok }) => !ok)).toEqual([]);
  await call("acme/gated", "/go");
  expect((await running).text).toBe("open");
});

test("an organization whose cell cannot be reached gets another", async () => {
  const { edge, publish, call, runFolder } = await start();
  await publish("acme/hello", HELLO);
  await call("acme/hello");
  const before = edge.health().cells.find(({ group }) => group === "acme");
  await rm(join(runFolder, "cells", before?.id ?? "", "front.sock"));
  await expect.poll(async () => (await call("acme/hello")).text).toBe("hello");
});
