/**
 * What is wrong with a JSON Schema (2020-12), so that a version with a broken one is refused before
 * it answers anybody. Knows the keywords that the edge checks, and leaves all others alone.
 */
import { dereference, type Schema } from "@cfworker/json-schema";

/** What is wrong and where, such as `/properties/a/type: "objekt" is not a type`. */
export function schemaFault(json: string): string | undefined {
  try {
    const schema: unknown = JSON.parse(json);
    return faultIn(schema, "") ?? faultOfReferences(schema as Schema | boolean);
  } catch (error) {
    if (error instanceof RangeError) return "it is nested too deeply";
    return `it is not a JSON Schema: ${(error as Error).message}`;
  }
}

const TYPES = ["array", "boolean", "integer", "null", "number", "object", "string"];
const ofTypes = TYPES.map((name) => `"${name}"`).join(", ");

type Check = (value: unknown) => string | undefined;

const is = (what: string, test: (value: unknown) => boolean): Check => {
  return (value) => (test(value) ? undefined : `${shown(value)} is not ${what}`);
};
const isText = (value: unknown) => typeof value === "string";
const isCount = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;
const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText);
const isType = (value: unknown) => TYPES.includes(value as string);

const text = is("a text", isText);
const count = is("a whole number from 0 on", isCount);
const number = is("a number", (value) => typeof value === "number");
const yesOrNo = is("true or false", (value) => typeof value === "boolean");
const expression: Check = (value) => text(value) ?? faultOfExpression(value as string);

/** Checks of keywords that hold no schemas. */
const PLAIN: Readonly<Record<string, Check>> = {
  type: is(`one of ${ofTypes}`, (value) =>
    Array.isArray(value) ? value.length > 0 && value.every(isType) : isType(value),
  ),
  enum: is("a list", Array.isArray),
  required: is("a list of texts", isTexts),
  pattern: expression,
  $ref: text,
  $id: text,
  $anchor: text,
  format: text,
  multipleOf: is("a number above 0", (value) => typeof value === "number" && value > 0),
  uniqueItems: yesOrNo,
  ...forEach(number, "maximum minimum exclusiveMaximum exclusiveMinimum"),
  ...forEach(count, "maxLength minLength maxItems minItems maxContains minContains"),
  ...forEach(count, "maxProperties minProperties"),
};
/** Keywords that hold a schema, a list of schemas, and schemas by name. */
const ONE = new Set([
  ...["additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties"],
  ...["contains", "items", "if", "then", "else", "not"],
]);
const LIST = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
const MAP = new Set([
  "$defs",
  "definitions",
  "dependentSchemas",
  "patternProperties",
  "properties",
]);

function faultIn(schema: unknown, path: string): string | undefined {
  if (typeof schema === "boolean") return undefined;
  if (!isObject(schema)) return `${path || "/"}: ${shown(schema)} is not a schema`;
  for (const [name, value] of Object.entries(schema)) {
    const at = `${path}/${name}`;
    const fault = PLAIN[name]?.(value);
    if (fault !== undefined) return `${at}: ${fault}`;
    const inner = faultInside(name, value, at);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function faultInside(name: string, value: unknown, at: string): string | undefined {
  if (ONE.has(name)) return faultIn(value, at);
  if (LIST.has(name)) {
    if (!Array.isArray(value)) return `${at}: ${shown(value)} is not a list of schemas`;
    return first(value, (schema, index) => faultIn(schema, `${at}/${index}`));
  }
  if (!MAP.has(name)) return undefined;
  if (!isObject(value)) return `${at}: ${shown(value)} is not an object of schemas`;
  return first(Object.entries(value), ([key, schema]) => {
    const fault = name === "patternProperties" ? faultOfExpression(key) : undefined;
    return fault === undefined ? faultIn(schema, `${at}/${key}`) : `${at}/${key}: ${fault}`;
  });
}

/** The edge loads no other documents: what is referred to must be in this one. */
function faultOfReferences(schema: Schema | boolean): string | undefined {
  const known = dereference(schema);
  const lost = Object.values(known).find(
    (one) => typeof one === "object" && one.__absolute_ref__ && !(one.__absolute_ref__ in known),
  );
  return typeof lost === "object" ? `$ref: "${lost.$ref}" is not in this schema` : undefined;
}

function faultOfExpression(source: string): string | undefined {
  try {
    new RegExp(source, "u");
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function first<Item>(
  items: readonly Item[],
  find: (item: Item, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}

function forEach(check: Check, names: string): Record<string, Check> {
  return Object.fromEntries(names.split(" ").map((name) => [name, check]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 60);
}
