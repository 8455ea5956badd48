import fc from "fast-check";
import { expect, test } from "vitest";
import { anyText } from "../../test/harness/arbitraries.ts";
import { pageOf, parseNumberCursor, parseTimeCursor, timeCursor } from "./page.ts";

const milliseconds = fc.nat(2 ** 47);
const id = fc.stringMatching(/^[a-z]{3}_[0-9a-z]{26}$/);

test("cursors are read as they were written, and any other text says PAGE_TOKEN_INVALID", () => {
  fc.assert(
    fc.property(milliseconds, id, (timeMs, name) => {
      expect(parseTimeCursor(timeCursor(timeMs, name))).toEqual({ timeMs, id: name });
      expect(parseNumberCursor(String(timeMs))).toBe(timeMs);
    }),
  );
  fc.assert(
    fc.property(anyText(), (text) => {
      for (const parse of [parseTimeCursor, parseNumberCursor]) {
        try {
          parse(text);
        } catch (error) {
          expect(error).toMatchObject({ reason: "PAGE_TOKEN_INVALID" });
        }
      }
    }),
  );
});

test("pageOf() pages of any size give the whole list once, in order", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(999)), fc.integer({ min: 1, max: 9 }), (numbers, limit) => {
      const rows = numbers.toSorted((a, b) => a - b);
      const read: number[] = [];
      const readFrom = (after: number) => {
        const rest = rows.filter((row) => row > after).slice(0, limit + 1);
        const { items, next } = pageOf(rest, { limit, cursor: undefined }, String);
        expect(items.length).toBeLessThanOrEqual(limit);
        read.push(...items);
        if (next !== undefined) readFrom(parseNumberCursor(next));
      };
      readFrom(-1);
      expect(read).toEqual(rows);
    }),
  );
});
