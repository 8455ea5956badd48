/**
 * Protovalidate rules as JSON Schema keywords, as far as JSON Schema can say them. What it cannot
 * say (bytes of a string, times relative to now) is left to the server.
 */
import type { DescField } from "@bufbuild/protobuf";
import { getOption } from "@bufbuild/protobuf";
import {
  type FieldRules,
  field as fieldRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** A JSON Schema (draft 2020-12), or a part of one. */
export type Schema = { [keyword: string]: unknown };

/** Keywords of a field's rules: of the value itself, of its items, of a map's keys and values. */
export interface Keywords {
  value: Schema;
  items: Schema;
  keys: Schema;
  values: Schema;
  /** Whether leaving the field out breaks a rule. */
  required: boolean;
}

/** Reads the rules of `field`. */
export function keywordsOf(field: DescField): Keywords {
  const rules = getOption(field, fieldRules);
  const none = { value: {}, items: {}, keys: {}, values: {} };
  const { type } = rules;
  if (type.case === "repeated") {
    const { minItems, maxItems, unique, items } = type.value;
    const value = {
      ...whenSet("minItems", number(minItems)),
      ...whenSet("maxItems", number(maxItems)),
      ...(unique ? { uniqueItems: true } : {}),
    };
    return {
      ...none,
      value,
      items: valueKeywords(items),
      required: rules.required || minItems > 0,
    };
  }
  if (type.case === "map") {
    const { minPairs, maxPairs, keys, values } = type.value;
    const value = {
      ...whenSet("minProperties", number(minPairs)),
      ...whenSet("maxProperties", number(maxPairs)),
    };
    const parts = { keys: valueKeywords(keys), values: valueKeywords(values) };
    return { ...none, ...parts, value, required: rules.required || minPairs > 0 };
  }
  const value = valueKeywords(rules);
  const refused = refusesZero(value) || (type.case === "enum" && type.value.notIn.includes(0));
  return { ...none, value, required: rules.required || (isPlain(field) && refused) };
}

/** Whether a field that is left out counts as its zero value, and so must satisfy its rules. */
function isPlain(field: DescField): boolean {
  return field.oneof === undefined && !field.proto.proto3Optional && field.message === undefined;
}

function refusesZero(value: Schema): boolean {
  const { minLength, minimum, pattern } = value;
  if (typeof minLength === "number" && minLength > 0) return true;
  if (typeof minimum === "number" && minimum > 0) return true;
  return typeof pattern === "string" && !new RegExp(pattern, "u").test("");
}

function valueKeywords(rules: FieldRules | undefined): Schema {
  if (rules === undefined) return {};
  const { type } = rules;
  switch (type.case) {
    case "string":
      return {
        ...whenSet("minLength", number(type.value.minLen)),
        ...whenSet("maxLength", number(type.value.maxLen || type.value.maxBytes)),
        ...whenSet("pattern", type.value.pattern),
      };
    case "bytes":
      return whenSet("maxLength", base64Length(number(type.value.maxLen)));
    case "uint32":
    case "float": {
      const { greaterThan, lessThan } = type.value;
      return {
        ...(greaterThan.case === "gte" ? { minimum: greaterThan.value } : {}),
        ...(lessThan.case === "lte" ? { maximum: lessThan.value } : {}),
      };
    }
    default:
      return {};
  }
}

/** Characters that `bytes` bytes take as base64. */
function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

function number(value: bigint): number {
  return Number(value);
}

function whenSet(keyword: string, value: number | string): Schema {
  return value === 0 || value === "" ? {} : { [keyword]: value };
}
