import { expect, test } from "vitest";
import { FairQueue, type FairQueueOptions } from "./fair-queue.ts";

const forever = new AbortController().signal;

function queueOf(options: Partial<FairQueueOptions>): FairQueue {
  return new FairQueue({ runningMax: 1, ownerMax: 1, waitingMax: 10, what: "jobs", ...options });
}

function jobs(queue: FairQueue) {
  const order: string[] = [];
  const gates = new Map<string, () => void>();
  const add = (owner: string, name: string, signal = forever) =>
    queue.run(owner, signal, () => {
      order.push(name);
      return new Promise<void>((resolve) => gates.set(name, resolve));
    });
  const finish = async (name: string) => {
    await expect.poll(() => order, { interval: 1 }).toContain(name);
    gates.get(name)?.();
  };
  return { order, add, finish };
}

test("FairQueue takes turns between owners", async () => {
  const { order, add, finish } = jobs(queueOf({ waitingMax: 10 }));
  const all = [add("a", "a1"), add("a", "a2"), add("a", "a3"), add("b", "b1")];
  for (const name of ["a1", "a2", "b1", "a3"]) await finish(name);
  await Promise.all(all);
  expect(order).toEqual(["a1", "a2", "b1", "a3"]);
});

test("FairQueue bounds how many jobs of one owner wait", async () => {
  const { add, finish } = jobs(queueOf({ waitingMax: 1 }));
  const [first, second] = [add("a", "a1"), add("a", "a2")];
  await expect(add("a", "a3")).rejects.toMatchObject({ reason: "OVERLOADED" });
  await finish("a1");
  await finish("a2");
  await Promise.all([first, second]);
});

test("FairQueue forgets a job that is cancelled while it waits", async () => {
  const queue = queueOf({ waitingMax: 10 });
  const { order, add, finish } = jobs(queue);
  const controller = new AbortController();
  const first = add("a", "a1");
  const second = add("b", "b1", controller.signal);
  controller.abort(new Error("left"));
  await expect(second).rejects.toThrow("left");
  expect(queue.waiting()).toBe(0);
  await finish("a1");
  await first;
  expect(order).toEqual(["a1"]);
});

test("FairQueue goes on after a job that failed", async () => {
  const queue = queueOf({ waitingMax: 10 });
  await expect(queue.run("a", forever, () => Promise.reject(new Error("no")))).rejects.toThrow(
    "no",
  );
  expect(await queue.run("a", forever, async () => "next")).toBe("next");
});

test("FairQueue runs no more jobs of one owner than it may, though others could run", async () => {
  const { order, add, finish } = jobs(queueOf({ runningMax: 3, ownerMax: 2 }));
  const all = [add("a", "a1"), add("a", "a2"), add("a", "a3"), add("b", "b1"), add("b", "b2")];
  await expect.poll(() => order).toEqual(["a1", "a2", "b1"]);
  await finish("b1");
  await expect.poll(() => order).toEqual(["a1", "a2", "b1", "b2"]);
  for (const name of ["a1", "a2", "a3", "b2"]) await finish(name);
  await Promise.all(all);
});
