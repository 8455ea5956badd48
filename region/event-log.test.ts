import { expect, test } from "vitest";
import { EventLog } from "./event-log.ts";

async function all(log: EventLog<number>, signal = new AbortController().signal) {
  const seen: number[] = [];
  for await (const event of log.read(signal)) seen.push(event);
  return seen;
}

test("EventLog gives every reader everything, however late it comes", async () => {
  const log = new EventLog<number>();
  const early = all(log);
  log.push(1);
  log.push(2);
  const late = all(log);
  log.push(3);
  log.end();
  expect(await early).toEqual([1, 2, 3]);
  expect(await late).toEqual([1, 2, 3]);
  expect(await all(log)).toEqual([1, 2, 3]);
});

test("EventLog lets a reader go that is aborted while it waits", async () => {
  const log = new EventLog<number>();
  const controller = new AbortController();
  const reading = all(log, controller.signal);
  controller.abort(new Error("left"));
  await expect(reading).rejects.toThrow("left");
});
