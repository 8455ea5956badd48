/** What a file offers to others is described: contract, units, failures. */
import { test } from "vitest";
import { expectOnlyExceptions } from "./exceptions.ts";
import { isTest, lineOf, type Source, type SyntaxNode, sources } from "./sources.ts";

test("every exported symbol has a doc comment", () => {
  const findings = sources.filter(({ path }) => !isTest(path)).flatMap(undocumented);
  expectOnlyExceptions("documentation", findings);
});

function undocumented(source: Source): string[] {
  return source.body
    .filter((node) => isDeclaringExport(node) && !isDocumented(source, node))
    .map((node) => `${source.path}:${lineOf(source.text, node.start)}`);
}

function isDeclaringExport(node: SyntaxNode): boolean {
  return node.type === "ExportNamedDeclaration" && node["declaration"] !== null;
}

/** A comment right before it, or for one of a group of constants, after it on its line. */
function isDocumented({ text, comments }: Source, node: SyntaxNode): boolean {
  const before = comments.findLast((comment) => comment.end <= node.start);
  const isNext = before !== undefined && text.slice(before.end, node.start).trim() === "";
  if (isNext && before.value.startsWith("*")) return true;
  const rest = text.slice(node.end).split("\n", 1)[0] ?? "";
  return rest.trim().startsWith("//") || continuesGroup(text, node);
}

/** Constants or types of one group share the comment above the first. */
function continuesGroup(text: string, node: SyntaxNode): boolean {
  const lines = text.slice(0, node.start).split("\n").slice(0, -1);
  const first = lines.findLastIndex((line) => !/^export (const|type) .*;( \/\/.*)?$/.test(line));
  return /\*\/$|\/\/ /.test(lines[first] ?? "");
}
