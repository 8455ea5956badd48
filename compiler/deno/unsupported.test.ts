import { expect, test } from "vitest";
import { findUnsupported } from "./unsupported.ts";

const found = (text: string) =>
  findUnsupported(new Map([["main.ts", text]])).map((one) => [one.line, one.column, one.message]);

test("findUnsupported() finds calls, constructors and imports", () => {
  expect(
    found('import net from "node:net";\nnew Worker("x");\nawait Deno\n  .connect({});'),
  ).toEqual([
    [1, 17, "node:net is not available at the edge."],
    [2, 1, "new Worker is not available at the edge."],
    [3, 7, "Deno.connect is not available at the edge."],
  ]);
});

test("findUnsupported() is not misled by comments, texts and longer names", () => {
  const text = `// Deno.open\n/* new Worker */ const a = "Deno.run", u = "http://x"; Deno.openings; Deno.env.get("x");`;
  expect(found(text)).toEqual([]);
});
