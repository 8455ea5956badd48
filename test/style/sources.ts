/** The repository's files and what the style tests ask of a source file, parsed once each. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { parseSync } from "rolldown/utils";

/** A node of the syntax tree, as far as the style tests look at it. */
export interface SyntaxNode {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

/** One import, re-export or dynamic import. */
export interface Import {
  /** As written. */
  specifier: string;
  /** The file it names, relative to the root; undefined for packages and `node:`. */
  file: string | undefined;
}

/** A parsed source file. */
export interface Source {
  path: string;
  text: string;
  body: readonly SyntaxNode[];
  comments: readonly { start: number; end: number; value: string; type: string }[];
  imports: readonly Import[];
}

const GENERATED = /^proto\/gen\/|^control\/db\/migrations\//;
/** What users and tests feed to the platform is not ours to hold to our style. */
const INPUTS = /^(examples|cli\/templates|test\/fixtures|test\/golden)\//;

/** All files of the repository, relative to its root, also those not committed yet. */
export const files: readonly string[] = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard"],
  { encoding: "utf8" },
)
  .split("\n")
  .filter((path) => path !== "" && existsSync(path));

/** Our own TypeScript and JavaScript, parsed; generated files and inputs left out. */
export const sources: readonly Source[] = files
  .filter((path) => /\.(ts|tsx|mjs)$/.test(path) && !GENERATED.test(path) && !INPUTS.test(path))
  .map(parse);

/** Whether a file is for tests only. */
export function isTest(path: string): boolean {
  return /^test\/|\.test\.ts$|(^|\/)testing(\/|\.ts$)/.test(path);
}

/** Every function in a file, with its name for messages. */
export function functionsOf({ body }: Source): { name: string; start: number; end: number }[] {
  const found: { name: string; start: number; end: number }[] = [];
  visit(body, (node, parent) => {
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) {
      return;
    }
    const named = [node["id"], parent?.["id"], parent?.["key"]] as ({ name?: string } | null)[];
    const name = named.find((one) => typeof one?.name === "string")?.name ?? "(anonymous)";
    found.push({ name, start: node.start, end: node.end });
  });
  return found;
}

/** The line of an offset, from 1. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

function parse(path: string): Source {
  const text = readFileSync(path, "utf8");
  const lang = path.endsWith(".tsx") ? "tsx" : path.endsWith(".ts") ? "ts" : "js";
  const { program, comments, errors, module } = parseSync(path, text, {
    lang,
    sourceType: "module",
  });
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  const exported = module.staticExports.flatMap((statement) => statement.entries);
  const specifiers = new Set([
    ...module.staticImports.map((one) => one.moduleRequest.value),
    ...exported.flatMap((entry) => entry.moduleRequest?.value ?? []),
    ...module.dynamicImports.flatMap(({ moduleRequest: { start, end } }) => {
      const literal = /^["'](.*)["']$/.exec(text.slice(start, end));
      return literal?.[1] ?? [];
    }),
  ]);
  const imports = [...specifiers].map((specifier) => ({
    specifier,
    file: fileOf(path, specifier),
  }));
  return { path, text, body: program.body as never, comments, imports };
}

function fileOf(importer: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return posix.join(posix.dirname(importer), specifier);
}

function visit(
  value: unknown,
  enter: (node: SyntaxNode, parent: SyntaxNode | undefined) => void,
  parent?: SyntaxNode,
): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, enter, parent);
  } else if (typeof value === "object" && value !== null) {
    const node = value as SyntaxNode;
    const isNode = typeof node.type === "string";
    if (isNode) enter(node, parent);
    for (const child of Object.values(node)) visit(child, enter, isNode ? node : parent);
  }
}
