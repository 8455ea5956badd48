import { PassThrough, Readable } from "node:stream";
import { finished } from "node:stream/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readBoundedLines } from "./bounded-lines.ts";

async function linesOf(chunks: readonly string[], charactersMax: number): Promise<string[]> {
  const lines: string[] = [];
  const input = Readable.from(chunks.map((chunk) => Buffer.from(chunk))).pipe(new PassThrough());
  readBoundedLines(input, charactersMax, (line) => lines.push(line));
  await finished(input);
  return lines;
}

test("readBoundedLines() tells each line once, wherever the chunks end", async () => {
  const chunk = fc.stringMatching(/^[aé\n]{0,6}$/);
  await fc.assert(
    fc.asyncProperty(fc.array(chunk), fc.integer({ min: 1, max: 4 }), async (chunks, max) => {
      const expected = chunks.join("").split("\n");
      if (expected.at(-1) === "") expected.pop();
      expect(await linesOf(chunks, max)).toEqual(expected.map((line) => line.slice(0, max)));
    }),
    { numRuns: 200 },
  );
});

test("readBoundedLines() keeps no more of an endless line than it may", async () => {
  const lines = await linesOf([...Array(1_000).fill("x".repeat(1_000)), "\nnext"], 10);
  expect(lines).toEqual(["xxxxxxxxxx", "next"]);
});
