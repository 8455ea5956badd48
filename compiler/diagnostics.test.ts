import { expect, test } from "vitest";
import { placeOf, suggestionFor } from "./diagnostics.ts";

test("suggestionFor() finds what is near, and compares no more than that", () => {
  expect(suggestionFor("servr.ts", ["a.ts", "server.ts"])).toBe("server.ts");
  expect(suggestionFor("mian", ["main", "app"])).toBe("main");
  expect(suggestionFor("x", ["main", "app"])).toBeUndefined();
  const known = Array.from({ length: 20_000 }, (_, at) => `${"d/".repeat(253)}${at}`);
  expect(suggestionFor("d/".repeat(256), known)).toBeUndefined();
});

test("placeOf() counts lines and columns from 1", () => {
  const text = "\nab\r\nc";
  expect(placeOf(text, 0)).toEqual({ line: 1, column: 1, lineText: "" });
  expect(placeOf(text, 2)).toEqual({ line: 2, column: 2, lineText: "ab" });
  expect(placeOf(text, text.length)).toEqual({ line: 3, column: 2, lineText: "c" });
});
