/** What anybody may send: it is read, or HRANA_PROTO_ERROR. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { HranaError, parseCursor, parsePipeline } from "./protocol.ts";

/** The right thing mostly, and any JSON now and then. */
function odd<Value>(right: fc.Arbitrary<Value>) {
  return fc.oneof({ weight: 8, arbitrary: right }, { weight: 1, arbitrary: fc.jsonValue() });
}

function shape(model: Record<string, fc.Arbitrary<unknown>>) {
  return fc.record(model, { requiredKeys: ["type"].filter((key) => key in model) });
}

const type = (...names: string[]) => odd(fc.constantFrom(...names));
const value = shape({
  type: type("null", "integer", "float", "text", "blob"),
  value: odd(fc.oneof(fc.string(), fc.double())),
  base64: odd(fc.string()),
});
const list = (of: fc.Arbitrary<unknown>) => odd(fc.array(odd(of), { maxLength: 3 }));
const statement = shape({
  sql: odd(fc.string()),
  sql_id: odd(fc.integer()),
  args: list(value),
  named_args: list(shape({ name: odd(fc.string()), value })),
  want_rows: odd(fc.boolean()),
});
const { condition } = fc.letrec((tie) => ({
  condition: shape({
    type: type("ok", "error", "not", "and", "or", "is_autocommit"),
    step: odd(fc.integer({ min: -1, max: 3 })),
    cond: tie("condition"),
    conds: fc.array(tie("condition"), { maxLength: 2 }),
  }),
}));
const batch = shape({ steps: list(shape({ condition: odd(condition), stmt: odd(statement) })) });
const request = shape({
  type: type("close", "execute", "batch", "sequence", "describe", "store_sql", "close_sql"),
  stmt: odd(statement),
  batch: odd(batch),
  sql: odd(fc.string()),
  sql_id: odd(fc.integer()),
});
const body = odd(shape({ baton: odd(fc.string()), requests: list(request), batch: odd(batch) }));

function readOrRefuse<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    expect(error).toBeInstanceOf(HranaError);
    expect(error).toMatchObject({ code: "HRANA_PROTO_ERROR" });
    return undefined;
  }
}

test.each([
  ["parsePipeline", parsePipeline],
  ["parseCursor", parseCursor],
])("%s() reads any JSON or says HRANA_PROTO_ERROR", (_, parse) => {
  fc.assert(
    fc.property(body, (json) => {
      const bytes = Buffer.from(JSON.stringify(json));
      const parsed = readOrRefuse(() => parse(bytes));
      if (parsed !== undefined) expect(parse(bytes)).toEqual(parsed);
    }),
    { numRuns: 400 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(readOrRefuse(() => parse(Buffer.from(bytes)))).toBeUndefined();
    }),
  );
});

test("parseCursor() bounds how deep conditions nest", () => {
  const read = (depth: number) => {
    const nested = `${'{"type":"not","cond":'.repeat(depth)}{"type":"is_autocommit"}${"}".repeat(depth)}`;
    const step = `{"condition":${nested},"stmt":{"sql":"SELECT 1"}}`;
    return readOrRefuse(() => parseCursor(Buffer.from(`{"batch":{"steps":[${step}]}}`)));
  };
  expect(read(16)?.steps).toHaveLength(1);
  expect(read(17)).toBeUndefined();
  expect(read(100_000)).toBeUndefined();
});
