/**
 * The JSON messages of Hrana over HTTP, versions 2 and 3, and their parsers. Names on the wire
 * are kept, so that what is parsed reads like the specification.
 */

/** A value as it travels. Integers are decimal text, since JSON numbers lose their low bits. */
export type HranaValue =
  | { type: "null" }
  | { type: "integer"; value: string }
  | { type: "float"; value: number }
  | { type: "text"; value: string }
  | { type: "blob"; base64: string };

/** SQL given in place, or by the id under which the stream stored it. */
export interface SqlReference {
  sql: string | undefined;
  sqlId: number | undefined;
}

/** One statement with its arguments. */
export interface HranaStatement extends SqlReference {
  args: readonly HranaValue[];
  namedArgs: readonly { name: string; value: HranaValue }[];
  wantRows: boolean;
}

/** When a step of a batch runs. */
export type HranaCondition =
  | { type: "ok" | "error"; step: number }
  | { type: "not"; cond: HranaCondition }
  | { type: "and" | "or"; conds: readonly HranaCondition[] }
  | { type: "is_autocommit" };

/** One step of a batch. */
export interface HranaStep {
  condition: HranaCondition | undefined;
  statement: HranaStatement;
}

/** What a pipeline may ask of a stream. */
export type StreamRequest =
  | { type: "close" | "get_autocommit" }
  | { type: "execute"; statement: HranaStatement }
  | { type: "batch"; steps: readonly HranaStep[] }
  | ({ type: "sequence" | "describe" } & SqlReference)
  | { type: "store_sql"; sqlId: number; sql: string }
  | { type: "close_sql"; sqlId: number };

/** A failure as clients see it; `code` is SQLite's name of it, or one of Hrana's. */
export class HranaError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = "HranaError";
    this.code = code;
  }
}

/** One statement's result. */
export interface StatementResult {
  cols: readonly { name: string | null; decltype: string | null }[];
  rows: readonly (readonly HranaValue[])[];
  affected_row_count: number;
  last_insert_rowid: string | null;
}

const BATCH_STEPS_MAX = 10_000; // A log flush of the edge has a few hundred
const CONDITION_DEPTH_MAX = 16; // Clients nest two or three
const ARGS_MAX = 32_766; // SQLite's own bound on parameters

/** Parses a pipeline's body. Fails with HRANA_PROTO_ERROR. */
export function parsePipeline(body: Buffer): {
  baton: string | undefined;
  requests: readonly StreamRequest[];
} {
  const object = parseObject(parseJson(body));
  const requests = parseArray(object["requests"], BATCH_STEPS_MAX).map(parseStreamRequest);
  return { baton: parseOptional(object["baton"], parseString), requests };
}

/** Parses a cursor's body. Fails with HRANA_PROTO_ERROR. */
export function parseCursor(body: Buffer): {
  baton: string | undefined;
  steps: readonly HranaStep[];
} {
  const object = parseObject(parseJson(body));
  return {
    baton: parseOptional(object["baton"], parseString),
    steps: parseSteps(object["batch"]),
  };
}

function parseStreamRequest(value: unknown): StreamRequest {
  const object = parseObject(value);
  const type = parseString(object["type"]);
  switch (type) {
    case "close":
    case "get_autocommit":
      return { type };
    case "execute":
      return { type, statement: parseStatement(object["stmt"]) };
    case "batch":
      return { type, steps: parseSteps(object["batch"]) };
    case "sequence":
    case "describe":
      return { type, ...parseSqlReference(object) };
    case "store_sql":
      return { type, sqlId: parseInteger(object["sql_id"]), sql: parseString(object["sql"]) };
    case "close_sql":
      return { type, sqlId: parseInteger(object["sql_id"]) };
    default:
      throw malformed(`the request type "${type.slice(0, 40)}" is unknown`);
  }
}

function parseSteps(value: unknown): readonly HranaStep[] {
  return parseArray(parseObject(value)["steps"], BATCH_STEPS_MAX).map((step, index) => {
    const object = parseObject(step);
    return {
      condition: parseOptional(object["condition"], (it) => parseCondition(it, index, 0)),
      statement: parseStatement(object["stmt"]),
    };
  });
}

function parseCondition(value: unknown, stepCount: number, depth: number): HranaCondition {
  if (depth > CONDITION_DEPTH_MAX) throw malformed("a condition is nested too deeply");
  const object = parseObject(value);
  const type = parseString(object["type"]);
  switch (type) {
    case "ok":
    case "error": {
      const step = parseInteger(object["step"]);
      if (step < 0 || step >= stepCount) throw malformed("a condition names a later step");
      return { type, step };
    }
    case "not":
      return { type, cond: parseCondition(object["cond"], stepCount, depth + 1) };
    case "and":
    case "or": {
      const conds = parseArray(object["conds"], BATCH_STEPS_MAX);
      return { type, conds: conds.map((cond) => parseCondition(cond, stepCount, depth + 1)) };
    }
    case "is_autocommit":
      return { type };
    default:
      throw malformed(`the condition type "${type.slice(0, 40)}" is unknown`);
  }
}

function parseStatement(value: unknown): HranaStatement {
  const object = parseObject(value);
  return {
    ...parseSqlReference(object),
    args: parseArray(object["args"] ?? [], ARGS_MAX).map(parseValue),
    namedArgs: parseArray(object["named_args"] ?? [], ARGS_MAX).map((arg) => {
      const named = parseObject(arg);
      return { name: parseString(named["name"]), value: parseValue(named["value"]) };
    }),
    wantRows: object["want_rows"] !== false,
  };
}

function parseSqlReference(object: Readonly<Record<string, unknown>>): SqlReference {
  const sql = parseOptional(object["sql"], parseString);
  const sqlId = parseOptional(object["sql_id"], parseInteger);
  if ((sql === undefined) === (sqlId === undefined)) {
    throw malformed("a statement needs either sql or sql_id");
  }
  return { sql, sqlId };
}

function parseValue(value: unknown): HranaValue {
  const object = parseObject(value);
  const type = parseString(object["type"]);
  switch (type) {
    case "null":
      return { type };
    case "integer":
      return { type, value: parseString(object["value"]) };
    case "float":
      if (typeof object["value"] !== "number") throw malformed("a float is not a number");
      return { type, value: object["value"] };
    case "text":
      return { type, value: parseString(object["value"]) };
    case "blob":
      return { type, base64: parseString(object["base64"]) };
    default:
      throw malformed(`the value type "${type.slice(0, 40)}" is unknown`);
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw malformed("the body is not JSON");
  }
}

function parseObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed("an object is missing");
  }
  return value as Readonly<Record<string, unknown>>;
}

function parseArray(value: unknown, lengthMax: number): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed("an array is missing");
  if (value.length > lengthMax) throw malformed(`an array is longer than ${lengthMax}`);
  return value;
}

function parseString(value: unknown): string {
  if (typeof value !== "string") throw malformed("a string is missing");
  return value;
}

function parseInteger(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw malformed("an integer is missing");
  return value as number;
}

function parseOptional<Value>(value: unknown, parse: (value: unknown) => Value): Value | undefined {
  return value === undefined || value === null ? undefined : parse(value);
}

function malformed(what: string): HranaError {
  return new HranaError("HRANA_PROTO_ERROR", `The request is malformed: ${what}.`);
}
