/** Values on their way through JSON, the driver and SQLite, and back. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyText } from "../../../test/harness/arbitraries.ts";
import { startTemporaryStore, type TemporaryStore } from "../temporary-store.ts";
import { HranaError, type HranaValue } from "./protocol.ts";
import { fromDriver, toDriver } from "./value.ts";

let running: TemporaryStore;
beforeAll(async () => {
  running = await startTemporaryStore();
});
afterAll(() => running.close());

const text = anyText(20).filter((each) => each.isWellFormed() && !each.includes("\0"));
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0));
const value: fc.Arbitrary<HranaValue> = fc.oneof(
  fc.constant<HranaValue>({ type: "null" }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((each) => ({
    type: "integer" as const,
    value: String(each),
  })),
  finite.map((each) => ({ type: "float" as const, value: each })),
  text.map((each) => ({ type: "text" as const, value: each })),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => ({
    type: "blob" as const,
    base64: Buffer.from(bytes).toString("base64"),
  })),
);

test("fromDriver() gives back what toDriver() was given", () => {
  fc.assert(
    fc.property(value, (one) => {
      expect(fromDriver(toDriver(one))).toEqual(one);
    }),
  );
});

test("the store answers the values that it was given", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 20 }), async (args) => {
      const sql = `SELECT ${args.map(() => "?").join(", ")}`;
      const requests = [{ type: "execute", stmt: { sql, args } }, { type: "close" }];
      const body = JSON.stringify({ requests });
      const response = await running.fetch("/v3/pipeline", { method: "POST", body });
      const { results } = (await response.json()) as {
        results: { response: { result: { rows: HranaValue[][] } } }[];
      };
      expect(results[0]?.response.result.rows[0]).toEqual(args);
    }),
    { numRuns: 40 },
  );
});

test("toDriver() says ARGS_INVALID to what would not come back", () => {
  const numeral = fc.stringMatching(/^-?[0-9]{1,25}$/);
  fc.assert(
    fc.property(fc.oneof(numeral, anyText(20)), (digits) => {
      try {
        const kept = toDriver({ type: "integer", value: digits });
        expect(kept).toBe(BigInt(digits));
        expect(BigInt.asIntN(64, BigInt(digits))).toBe(kept);
      } catch (error) {
        expect(error).toBeInstanceOf(HranaError);
        expect(error).toMatchObject({ code: "ARGS_INVALID" });
      }
    }),
  );
  const others: HranaValue[] = [
    { type: "text", value: "a\0b" },
    { type: "float", value: Number.POSITIVE_INFINITY },
  ];
  for (const one of others) expect(() => toDriver(one)).toThrow(/cannot be stored/);
});
