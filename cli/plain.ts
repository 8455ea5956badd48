/** API messages as the plain data that `--json` prints. */
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type MessageShape,
  ScalarType,
  toJson,
} from "@bufbuild/protobuf";

/** Sizes, positions and the like: text in protobuf's JSON, but exact as numbers here. */
const LONG_TYPES: ReadonlySet<ScalarType | undefined> = new Set([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
  ScalarType.SINT64,
]);

/**
 * A message as JSON values: the names of the API's JSON form, all fields present, times in ISO
 * 8601, and enums without their prefix (`ACTIVE`, not `VERSION_STATUS_ACTIVE`).
 */
export function plain<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): Record<string, unknown> {
  const json = toJson(schema, message, { alwaysEmitImplicit: true });
  return plainFields(schema, json as Record<string, unknown>);
}

function plainFields(schema: DescMessage, json: Record<string, unknown>): Record<string, unknown> {
  for (const field of schema.fields) {
    const value = json[field.jsonName];
    if (value !== undefined) json[field.jsonName] = plainField(field, value);
  }
  return json;
}

function plainField(field: DescField, value: unknown): unknown {
  const one = (item: unknown) => plainValue(field, item);
  if (field.fieldKind === "list") return (value as unknown[]).map(one);
  if (field.fieldKind !== "map") return one(value);
  const entries = Object.entries(value as object).map(([key, item]) => [key, one(item)]);
  return Object.fromEntries(entries);
}

function plainValue({ message, enum: desc, scalar }: DescField, value: unknown): unknown {
  if (desc !== undefined) return withoutPrefix(desc, value);
  if (LONG_TYPES.has(scalar)) return Number(value);
  // Well-known messages such as times have a JSON form of their own
  if (message === undefined || message.typeName.startsWith("google.protobuf.")) return value;
  return plainFields(message, value as Record<string, unknown>);
}

function withoutPrefix(desc: DescEnum, value: unknown): unknown {
  const prefix = (desc.sharedPrefix ?? "").toUpperCase();
  return typeof value === "string" && value.startsWith(prefix) ? value.slice(prefix.length) : value;
}
