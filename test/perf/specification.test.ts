import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadRows } from "./main.ts";

test("docs/specification.md promises what the rows measure, and nothing else", async () => {
  const text = readFileSync(new URL("../../docs/specification.md", import.meta.url), "utf8");
  const promised = Array.from(text.matchAll(/^\| `([\w-]+)` \| (.+) \|$/gm), ([, name, bar]) => [
    name,
    bar,
  ]);
  const rows = await loadRows();
  const measured = Array.from(rows.values(), ({ name, bar }) => [name, bar]);
  expect(promised.toSorted()).toEqual(measured.toSorted());
});
