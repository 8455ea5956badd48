/** Checks one value of `ignite.toml` against its field, answering what is wrong with it. */
import { type Field, variableName } from "./fields.ts";

/** A complaint about the value at `path`, such as `["limits", "memory_mb"]`. */
export interface Complaint {
  path: readonly string[];
  message: string;
  fix?: string | undefined;
}

/** Complaints about `value`; none when it is as `field` says. */
export function checkValue(field: Field, value: unknown, path: readonly string[]): Complaint[] {
  const name = path.join(".");
  const wrong = (message: string): Complaint[] => [{ path, message: `${name} ${message}.` }];
  switch (field.type) {
    case "string":
      return typeof value === "string" ? checkText(field, value, wrong) : wrong("must be a text");
    case "boolean":
      return typeof value === "boolean" ? [] : wrong("must be true or false");
    case "integer":
      return checkInteger(field, value, wrong);
    case "strings": {
      if (!isListOf("string", value)) return wrong("must be a list of texts");
      if (value.length > field.max) return wrong(`has more than ${field.max} items`);
      const bad = value.find((item) => field.pattern?.test(String(item)) === false);
      return bad === undefined ? [] : wrong(`${field.says}; "${bad}" is not`);
    }
    case "integers": {
      if (!Array.isArray(value)) return wrong("must be a list of numbers");
      if (value.length > field.max) return wrong(`has more than ${field.max} items`);
      return value.flatMap((item) => checkInteger(field.each, item, wrong)).slice(0, 1);
    }
    case "names":
      return checkNames(field, value, path);
  }
}

function checkText(
  field: Field & { type: "string" },
  value: string,
  wrong: (message: string) => Complaint[],
): Complaint[] {
  if (field.oneOf !== undefined && !field.oneOf.includes(value)) {
    return wrong(`must be one of ${field.oneOf.map((each) => `"${each}"`).join(", ")}`);
  }
  if (field.pattern !== undefined && !field.pattern.test(value))
    return wrong(field.says ?? "is wrong");
  if (field.max !== undefined && value.length > field.max) {
    return wrong(`is longer than ${field.max} characters`);
  }
  return [];
}

function checkInteger(
  bounds: { min: number; max: number },
  value: unknown,
  wrong: (message: string) => Complaint[],
): Complaint[] {
  const inside =
    Number.isInteger(value) && Number(value) >= bounds.min && Number(value) <= bounds.max;
  return inside ? [] : wrong(`must be a whole number from ${bounds.min} to ${bounds.max}`);
}

function checkNames(
  field: Field & { type: "names" },
  value: unknown,
  path: readonly string[],
): Complaint[] {
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length > field.max) {
    return [{ path, message: `${path.join(".")} has more than ${field.max} entries.` }];
  }
  return entries.flatMap(([key, each]) => {
    const at = [...path, key];
    if (!variableName.test(key)) {
      return [{ path: at, message: `${key} cannot be the name of an environment variable.` }];
    }
    const isScalar = ["string", "number", "boolean"].includes(typeof each);
    const seen = field.scalars === true && isScalar ? String(each) : each;
    return checkValue(field.value, seen, at);
  });
}

function isListOf(type: "string", value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === type);
}
