import { expect, test } from "vitest";
import { stackBelow } from "./stack.ts";

const FRAME = "    at fetch (main.ts:3:9)";

test("stackBelow() leaves out the message that stands above it", () => {
  expect(stackBelow("Error: boom", `Error: boom\n${FRAME}`)).toBe(FRAME);
  expect(stackBelow("Uncaught (in promise) Error: boom", `Error: boom\n${FRAME}`)).toBe(FRAME);
  expect(stackBelow("Error: two\nlines", `Error: two\nlines\n${FRAME}`)).toBe(FRAME);
});

test("stackBelow() keeps what says something else", () => {
  expect(stackBelow("Error: cut…", `Error: cut here\n${FRAME}`)).toBe(`Error: cut here\n${FRAME}`);
  expect(stackBelow("Error: boom", FRAME)).toBe(FRAME);
  expect(stackBelow("Error: boom", "")).toBe("");
});
