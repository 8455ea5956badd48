/**
 * What looks at a tenant's text looks at each character a few times only. Judged by texts of
 * megabytes that anything else needs hours for.
 */
import { expect, test } from "vitest";
import { findDependencies } from "./dependencies.ts";
import { restoreImportMeta } from "./import-meta.ts";
import { usesNode } from "./node-use.ts";
import { blankOut } from "./text.ts";
import { findUnsupported } from "./unsupported.ts";
import { findWasmImports } from "./wasm.ts";

const times = (text: string) => text.repeat(1_000_000 / text.length);

const texts: [string, string][] = [
  ["quotes that stay open", `/"${times('\\"')}/`],
  ["apostrophes that stay open", `/'${times("\\'")}/`],
  ["templates that stay open", `\`\${${times("\\`")}`],
  ["comments that stay open", times("/*")],
  ["an import and spaces", `import${times(" ")}x`],
  ["imports", times("import ")],
  ["brackets of imports", times("import(")],
  ["Deno and spaces", `Deno${times(" ")}x`],
  ["a word", times("a")],
  ["specifiers", times('"npm:')],
  ["Wasm that is never named", `import a from "./${times(".wasm")}`],
];

test.each(texts)("looking at %s takes one pass", (_, text) => {
  const segments = [{ path: "main.ts", text }];
  expect(restoreImportMeta(segments, "main.ts")).toEqual(segments);
  expect(blankOut(text, "comments and texts")).toHaveLength(text.length);
  expect(usesNode(segments)).toBe(false);
  const sources = new Map([["main.ts", text]]);
  expect(findUnsupported(sources)).toEqual([]);
  expect(findWasmImports(sources)).toEqual([]);
  expect(findDependencies(sources).external).toBe(false);
});

test.each([times('"lock":{'), `"lock":{${times('"path"')}`, times('"lock" ')])(
  "findDependencies() reads configuration once",
  (text) => {
    const texts = new Map([
      ["deno.json", text],
      ["deno.lock", ""],
    ]);
    expect(findDependencies(texts).lockFile).toBe("deno.lock");
  },
);

test("findUnsupported() stops where nobody reads on", () => {
  const text = 'Deno.run(); new Worker("x"); import "node:net";\n'.repeat(50);
  const sources = new Map(Array.from({ length: 200 }, (_, at) => [`${at}.ts`, text]));
  expect(findUnsupported(sources)).toHaveLength(500);
});
