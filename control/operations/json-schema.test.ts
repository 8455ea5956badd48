import { expect, test } from "vitest";
import { schemaFault } from "./json-schema.ts";

test.each([
  [{}],
  [true],
  [{ type: ["string", "null"], minLength: 1, pattern: "^a+$", format: "email" }],
  [{ type: "object", properties: { a: { $ref: "#/$defs/a" } }, $defs: { a: { type: "string" } } }],
  [{ $id: "https://x.test/s", anyOf: [{ $ref: "#" }, { $ref: "s" }], "x-own": 5, title: "t" }],
  [{ properties: { type: { const: "circle" }, required: { enum: [1] } }, required: ["type"] }],
  [{ items: { type: "integer" }, prefixItems: [{}], additionalProperties: false }],
])("schemaFault() finds nothing in %j", (schema) => {
  expect(schemaFault(JSON.stringify(schema))).toBeUndefined();
});

test.each([
  [{ type: "objekt" }, '/type: "objekt" is not one of "array"'],
  [{ properties: { a: { type: [] } } }, "/properties/a/type: [] is not one of"],
  [{ properties: [] }, "/properties: [] is not an object of schemas"],
  [{ required: "a" }, '/required: "a" is not a list of texts'],
  [{ pattern: "(" }, "/pattern: Invalid regular expression"],
  [{ patternProperties: { "[": {} } }, "/patternProperties/[: Invalid regular expression"],
  [{ minLength: -1 }, "/minLength: -1 is not a whole number from 0 on"],
  [{ anyOf: {} }, "/anyOf: {} is not a list of schemas"],
  [{ items: 5 }, "/items: 5 is not a schema"],
  [{ $ref: "#/$defs/none" }, '$ref: "#/$defs/none" is not in this schema'],
  [{ $ref: "https://elsewhere.test/" }, '$ref: "https://elsewhere.test/" is not in this schema'],
  ["text", '/: "text" is not a schema'],
])("schemaFault() says what is wrong with %j", (schema, fault) => {
  expect(schemaFault(JSON.stringify(schema))).toContain(fault);
});

test("schemaFault() survives what is no JSON, and what is nested without end", () => {
  expect(schemaFault("{")).toContain("it is not a JSON Schema");
  const nested = `${'{"not":'.repeat(30_000)}{}${"}".repeat(30_000)}`;
  expect(schemaFault(nested)).toBe("it is nested too deeply");
});
