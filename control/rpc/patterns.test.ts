import { type DescMessage, getOption } from "@bufbuild/protobuf";
import {
  field as fieldRules,
  type FieldRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { expect, test } from "vitest";
import { sentenceOf, spokenMessage } from "./patterns.ts";
import { publicServices } from "./router.ts";

/** Every expression that a request can break, with what it holds. */
function patternsOf(desc: DescMessage, seen: Set<DescMessage>): string[] {
  if (seen.has(desc)) return [];
  seen.add(desc);
  return desc.fields.flatMap((field) => [
    ...patternsIn(getOption(field, fieldRules)),
    ...(field.message === undefined ? [] : patternsOf(field.message, seen)),
  ]);
}

function patternsIn(rules: FieldRules | undefined): string[] {
  const { type } = rules ?? {};
  if (type?.case === "string") return type.value.pattern === "" ? [] : [type.value.pattern];
  if (type?.case === "repeated") return patternsIn(type.value.items);
  if (type?.case !== "map") return [];
  return [...patternsIn(type.value.keys), ...patternsIn(type.value.values)];
}

test("every expression of the API has a sentence for people", () => {
  const seen = new Set<DescMessage>();
  const inputs = publicServices.flatMap(({ methods }) => methods.map(({ input }) => input));
  const patterns = new Set(inputs.flatMap((input) => patternsOf(input, seen)));
  expect(patterns.size).toBeGreaterThan(15);
  expect([...patterns].filter((pattern) => sentenceOf(pattern) === undefined)).toEqual([]);
});

test("spokenMessage() leaves other messages as they are", () => {
  expect(spokenMessage("must be at most 28 characters")).toBe("must be at most 28 characters");
  expect(spokenMessage("does not match regex pattern `^[0-9a-f]{64}$`")).toMatch(/SHA-256/);
});
