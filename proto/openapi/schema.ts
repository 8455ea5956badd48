/** Messages and enums as JSON Schema, in the shape of Protobuf's JSON mapping. */
import type { DescEnum, DescField, DescMessage, DescOneof } from "@bufbuild/protobuf";
import { getOption, ScalarType } from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";
import { oneof as oneofRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { type Keywords, keywordsOf, type Schema } from "./rules.ts";

/** Types that have a JSON form of their own. */
const wellKnown: Readonly<Record<string, Schema>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
};

/** The schemas of messages and enums by type name, with all they refer to. */
export class SchemaSet {
  readonly #schemas = new Map<string, Schema>();

  /** A reference to the schema of `type`, which is added to the set. */
  refer(type: DescMessage | DescEnum): Schema {
    const known = wellKnown[type.typeName];
    if (known !== undefined) return known;
    if (!this.#schemas.has(type.typeName)) {
      this.#schemas.set(type.typeName, {}); // Ends the recursion of types that hold themselves.
      const schema = type.kind === "enum" ? enumSchema(type) : this.#messageSchema(type);
      this.#schemas.set(type.typeName, schema);
    }
    return { $ref: `#/components/schemas/${type.typeName}` };
  }

  /** All schemas, by type name in alphabetical order. */
  toJSON(): { [typeName: string]: Schema } {
    const entries = [...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries);
  }

  #messageSchema(message: DescMessage): Schema {
    const rules = new Map(message.fields.map((field) => [field, keywordsOf(field)]));
    const properties = message.fields.map((field) => [
      field.jsonName,
      { ...this.#fieldSchema(field, rules.get(field)), ...describe(field) },
    ]);
    const required = message.fields.filter((field) => rules.get(field)?.required);
    const choices = message.oneofs.map(choiceSchema);
    return {
      type: "object",
      title: message.name,
      ...describe(message),
      properties: Object.fromEntries(properties),
      ...(required.length > 0 ? { required: required.map((field) => field.jsonName) } : {}),
      ...(choices.length > 0 ? { allOf: choices } : {}),
    };
  }

  #fieldSchema(field: DescField, rules: Keywords | undefined): Schema {
    switch (field.fieldKind) {
      case "scalar":
        return { ...scalarSchema(field.scalar), ...rules?.value };
      case "enum":
        return this.refer(field.enum);
      case "message":
        return this.refer(field.message);
      case "list":
        return { type: "array", ...rules?.value, items: this.#listItem(field, rules?.items) };
      case "map":
        return {
          type: "object",
          ...rules?.value,
          ...(Object.keys(rules?.keys ?? {}).length > 0 ? { propertyNames: rules?.keys } : {}),
          additionalProperties: this.#mapValue(field, rules?.values),
        };
    }
  }

  #listItem(field: DescField & { fieldKind: "list" }, keywords: Schema = {}): Schema {
    if (field.listKind === "scalar") return { ...scalarSchema(field.scalar), ...keywords };
    return this.refer(field.listKind === "enum" ? field.enum : field.message);
  }

  #mapValue(field: DescField & { fieldKind: "map" }, keywords: Schema = {}): Schema {
    if (field.mapKind === "scalar") return { ...scalarSchema(field.scalar), ...keywords };
    return this.refer(field.mapKind === "enum" ? field.enum : field.message);
  }
}

/** The first paragraph-joined comment of a declaration as `description`. */
export function describe(declaration: Parameters<typeof getComments>[0]): Schema {
  const text = getComments(declaration).leading?.trim().replaceAll(/\n ?/g, "\n");
  return text === undefined || text === "" ? {} : { description: text };
}

function enumSchema(type: DescEnum): Schema {
  const lines = type.values.map((value) => `- \`${value.name}\`: ${describe(value).description}`);
  const description = [describe(type).description, "", ...lines].join("\n");
  return { type: "string", title: type.name, description, enum: type.values.map((v) => v.name) };
}

/** At most one of a oneof's fields, or exactly one where a rule says so. */
function choiceSchema(oneof: DescOneof): Schema {
  const choices: Schema[] = oneof.fields.map((field) => ({ required: [field.jsonName] }));
  const none = { not: { anyOf: choices } };
  return { oneOf: getOption(oneof, oneofRules).required ? choices : [none, ...choices] };
}

function scalarSchema(scalar: ScalarType): Schema {
  switch (scalar) {
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.BYTES:
      return { type: "string", contentEncoding: "base64" };
    case ScalarType.UINT32:
      return { type: "integer", minimum: 0, maximum: 4_294_967_295 };
    case ScalarType.UINT64:
      return { type: ["string", "integer"], format: "uint64" };
    case ScalarType.INT64:
      return { type: ["string", "integer"], format: "int64" };
    case ScalarType.FLOAT:
      return { type: "number" };
    default:
      throw new Error(`Fields of type ${ScalarType[scalar]} have no schema yet.`);
  }
}
