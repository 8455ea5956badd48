import { expect, test } from "vitest";
import { gatherSteps } from "./steps.ts";
import type { CompileStep } from "./task.ts";

test("gatherSteps() keeps the order and joins lines of one stream", () => {
  const sent: CompileStep[][] = [];
  const steps = gatherSteps((all) => sent.push([...all]));
  steps.log("stderr", "a");
  steps.log("stderr", "b");
  steps.log("stdout", "c");
  steps.progress("bundle", 2, 4);
  steps.log("stdout", "d");
  steps.flush();
  steps.flush();
  expect(sent).toEqual([
    [
      { kind: "log", stream: "stderr", text: "a\nb\n" },
      { kind: "log", stream: "stdout", text: "c\n" },
      { kind: "progress", phase: "bundle", done: 2, total: 4 },
      { kind: "log", stream: "stdout", text: "d\n" },
    ],
  ]);
});

test("gatherSteps() makes no text longer than a message takes", async () => {
  const texts: string[] = [];
  const steps = gatherSteps((all) =>
    texts.push(...all.map((step) => (step.kind === "log" ? step.text : ""))),
  );
  for (let at = 0; at < 100_000; at += 1) steps.log("stdout", "ü");
  await expect.poll(() => texts.join("").length).toBe(200_000);
  expect(Math.max(...texts.map((text) => Buffer.byteLength(text)))).toBeLessThan(65_536);
  expect(texts.length).toBeLessThan(20);
});
