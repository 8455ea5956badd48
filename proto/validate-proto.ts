/**
 * The source of `buf/validate/validate.proto`, printed from the descriptor that comes with the
 * validator. Buf needs it to read our rules; this way it has the same release as the code that
 * applies them, and neither a registry nor another tool is needed. Comments and the rules' own
 * CEL expressions are left out: they matter to the validator alone, which has its own copy.
 */
import type { DescEnum, DescExtension, DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { FieldDescriptorProto_Label as Label } from "@bufbuild/protobuf/wkt";
import { file_buf_validate_validate as file } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

const fieldNumberMax = 536_870_911;

/** The text of `buf/validate/validate.proto`; equal for equal releases of the validator. */
export function validateProto(): string {
  return [
    `syntax = "proto2";`,
    `package ${file.proto.package};`,
    ...file.proto.dependency.map((path) => `import "${path}";`),
    ...file.messages.map(printMessage),
    ...file.enums.map(printEnum),
    ...file.extensions.map(printExtension),
    "",
  ].join("\n");
}

function printMessage(message: DescMessage): string {
  const ranges = message.proto.extensionRange.map(({ start, end }) => {
    const last = end > fieldNumberMax ? "max" : String(end - 1);
    return `extensions ${start} to ${last};`;
  });
  const members = message.members.map((member) =>
    member.kind === "oneof"
      ? block(
          `oneof ${member.name}`,
          member.fields.map((field) => printField(field, "")),
        )
      : printField(member, labelOf(member)),
  );
  const nested = [
    ...message.nestedMessages.map(printMessage),
    ...message.nestedEnums.map(printEnum),
  ];
  return block(`message ${message.name}`, [...members, ...ranges, ...nested]);
}

function printEnum(enumeration: DescEnum): string {
  const values = enumeration.values.map(({ name, number }) => `${name} = ${number};`);
  return block(`enum ${enumeration.name}`, values);
}

function printExtension(extension: DescExtension): string {
  return block(`extend .${extension.extendee.typeName}`, [
    printField(extension, labelOf(extension)),
  ]);
}

function printField(field: DescField | DescExtension, label: string): string {
  return `${label}${typeOf(field)} ${field.proto.name} = ${field.number};`;
}

function labelOf(field: DescField | DescExtension): string {
  return field.proto.label === Label.REPEATED ? "repeated " : "optional ";
}

function typeOf(field: DescField | DescExtension): string {
  const message = field.message ?? field.enum;
  if (message !== undefined) return `.${message.typeName}`;
  if (field.scalar === undefined) throw new Error(`${field.name}: maps are not printed.`);
  return ScalarType[field.scalar].toLowerCase();
}

function block(head: string, lines: readonly string[]): string {
  return [`${head} {`, ...lines.map((line) => line.replace(/^/gm, "  ")), "}"].join("\n");
}
