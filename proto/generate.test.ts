import { expect, test } from "vitest";
import { checkBreaking, checkFormat, checkGenerated, checkLint } from "./checks.ts";

const timeoutMs = 30_000;

test(
  "the protos pass lint, so that each element is documented and bounded",
  async () => {
    expect(await checkLint()).toEqual({ problems: "" });
  },
  timeoutMs,
);

test(
  "the protos are formatted",
  async () => {
    expect(await checkFormat()).toEqual({ problems: "" });
  },
  timeoutMs,
);

test(
  "the protos break no client of the main branch",
  async (context) => {
    const { problems, skipped } = await checkBreaking();
    if (skipped !== undefined) context.skip(skipped);
    expect(problems).toBe("");
  },
  timeoutMs,
);

test(
  "the generated code is up to date",
  async () => {
    expect(await checkGenerated()).toEqual({ problems: "" });
  },
  timeoutMs,
);
