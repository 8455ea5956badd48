/** docs/manifest.md names every key of ignite.toml with its bounds, and no other. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  bodyMbDefault,
  cpuMsDefault,
  memoryMbDefault,
  timeoutMsDefault,
  varBytesMax,
  varsMax,
} from "../../core/limits.ts";
import { type Field, fields } from "./fields.ts";
import { parseManifest } from "./parse.ts";

const page = readFileSync(new URL("../../docs/manifest.md", import.meta.url), "utf8");
const sections = new Map(
  page.split(/^##+ /m).map((text) => {
    const title = text.slice(0, text.indexOf("\n"));
    return [/^`\[(\w+)\]`$/.exec(title)?.[1] ?? title, text] as const;
  }),
);
const sectionOf = (table: string) => sections.get(table === "" ? "Top of the file" : table) ?? "";
const rowsOf = (table: string) =>
  new Map([...sectionOf(table).matchAll(/^\| `(\w+)` \|.*$/gm)].map(([row, key]) => [key, row]));
const tables = Object.entries(fields);

test.each(tables)("docs/manifest.md has the keys of [%s], and their bounds", (table, keys) => {
  if ("*" in keys) {
    expect(sectionOf(table)).toContain(`at most ${varsMax}`);
    return;
  }
  const rows = rowsOf(table);
  expect([...rows.keys()].toSorted()).toEqual(Object.keys(keys).toSorted());
  for (const [key, field] of Object.entries(keys)) {
    for (const bound of boundsOf(field)) expect(rows.get(key), key).toContain(bound);
  }
});

test("docs/manifest.md has the defaults of limits", () => {
  const defaults = {
    memory_mb: memoryMbDefault,
    cpu_ms: cpuMsDefault,
    timeout_ms: timeoutMsDefault,
    body_mb: bodyMbDefault,
  };
  const rows = rowsOf("limits");
  for (const [key, value] of Object.entries(defaults)) {
    expect(rows.get(key)).toContain(`| \`${key}\` | ${value} |`);
  }
  expect(sectionOf("vars")).toContain(`${varBytesMax} bytes`);
});

test("the example of docs/manifest.md is right", () => {
  const example = /```toml\n(.*?)```/s.exec(page)?.[1] ?? "";
  expect(parseManifest(example)).toMatchObject({ ok: true });
});

/** What a row must say of the values that its key may have. */
function boundsOf(field: Field): string[] {
  switch (field.type) {
    case "integer":
      return [`${field.min} to ${field.max}`];
    case "string":
      return (
        field.oneOf?.map((one) => `"${one}"`) ?? (field.max ? [`${field.max} characters`] : [])
      );
    case "strings":
      return [String(field.max)];
    case "integers":
      return [String(field.max), `${field.each.min} to ${field.each.max}`];
    case "boolean":
      return ["`true`, `false`"];
    case "names":
      return [];
  }
}
