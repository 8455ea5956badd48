/** Files, functions and lines stay small enough to be read at once. */
import { test } from "vitest";
import { expectOnlyExceptions } from "./exceptions.ts";
import { functionsOf, lineOf, type Source, sources } from "./sources.ts";

const FILE_LINES_MAX = 500;
const FUNCTION_LINES_MAX = 70;
const COLUMNS_MAX = 100;

test("no file is longer than 500 lines", () => {
  const findings = sources
    .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > FILE_LINES_MAX)
    .map(({ path, lines }) => `${path} has ${lines} lines`);
  expectOnlyExceptions("file size", findings);
});

test("no function is longer than 70 lines, not counting functions in it", () => {
  const findings = sources.flatMap((source) =>
    ownLines(source)
      .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
      .map(({ name, lines }) => `${source.path} ${name} has ${lines} lines`),
  );
  expectOnlyExceptions("function size", findings);
});

test("no comment is wider than 100 columns, as the formatter keeps code", () => {
  const findings = sources.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) => {
      const isComment = /^\s*(\/\*|\*|\/\/)|[;,{}] \/\/ /.test(line);
      return isComment && [...line].length > COLUMNS_MAX ? [`${path}:${index + 1}`] : [];
    }),
  );
  expectOnlyExceptions("line length", findings);
});

/** A factory that returns an object of methods is as long as what it does besides. */
function ownLines(source: Source): { name: string; lines: number }[] {
  const functions = functionsOf(source);
  return functions.map(({ name, start, end }) => {
    const inside = functions.filter((one) => one.start > start && one.end <= end);
    const direct = inside.filter(
      (one) => !inside.some((other) => other.start < one.start && other.end >= one.end),
    );
    const nested = direct.reduce((sum, one) => sum + linesBetween(source.text, one), 0);
    return { name, lines: linesBetween(source.text, { start, end }) - nested };
  });
}

function linesBetween(text: string, { start, end }: { start: number; end: number }): number {
  return lineOf(text, end) - lineOf(text, start) + 1;
}
