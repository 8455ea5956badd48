/**
 * Wasm in an app. Deno's own form, `import { add } from "./add.wasm"`, is inlined by deno bundle
 * as base64; `import module from "./add.wasm"` asks for the WebAssembly.Module and is left alone
 * by it. An isolate may not compile bytes, so both become Wasm modules of the artifact.
 */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { FileSystem } from "../ports.ts";
import { failed } from "../failed.ts";
import { joinSegments, type Segment } from "./segments.ts";
import type { SourceTexts } from "./sources.ts";

/** A Wasm module of the artifact. */
export interface WasmModule {
  name: string;
  bytes: Uint8Array;
}

const DEFAULT_IMPORT =
  /\bimport\s+[\w$]+\s+from\s*["'](\.{1,2}\/[^"'\n]+\.wasm)["'](?!\s*(?:with|assert)\b)/g;
const LEFT_IMPORT = /^import (.+) from "(\.{1,2}\/[^"]+\.wasm)";$/gm;
const INLINED =
  /([\w$]+)(\s*=\s*)Uint8Array\.from\(atob\("(AGFzb[A-Za-z0-9+/=]*)"\),\s*\(?([\w$]+)\)?\s*=>\s*\4\.charCodeAt\(0\)\)/g;

/** The specifiers, as written, of default imports of Wasm in a tree. */
export function findWasmImports(texts: SourceTexts): string[] {
  const found = [...texts.values()].flatMap((text) =>
    [...text.matchAll(DEFAULT_IMPORT)].map(([, specifier = ""]) => specifier),
  );
  return [...new Set(found)].toSorted();
}

/**
 * Makes modules of all Wasm in bundled code. Lines keep their numbers: new ones go to the end.
 * Fails with COMPILE_FAILED when a file is imported in both ways or is not there.
 */
export async function liftWasm(
  segments: readonly Segment[],
  files: FileSystem,
): Promise<{ code: string; modules: readonly WasmModule[] }> {
  const modules = new Map<string, Uint8Array>();
  const add = (bytes: Uint8Array) => {
    const name = `${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}.wasm`;
    modules.set(name, bytes);
    return name;
  };
  const linked: Segment[] = [];
  for (const segment of segments) linked.push(await linkImports(segment, files, add));
  const code = liftInlined(joinSegments(linked), add);
  const all = [...modules].map(([name, bytes]) => ({ name, bytes }));
  return { code, modules: all };
}

function liftInlined(code: string, add: (bytes: Uint8Array) => string): string {
  const lines: string[] = [];
  let text = code.replace(INLINED, (_, variable: string, equals: string, base64: string) => {
    const name = add(Buffer.from(base64, "base64"));
    lines.push(`import __ignite_wasm_${lines.length} from "./${name}";`);
    return `${variable}${equals}__ignite_wasm_${lines.length - 1}`;
  });
  if (lines.length === 0) return code;
  for (const [, variable = ""] of code.matchAll(INLINED)) {
    text = text.replace(`new WebAssembly.Module(${variable})`, () => variable);
  }
  return `${text}\n${lines.join("\n")}\n`;
}

/** Imports that were left alone; their specifiers count from the module that they are in. */
async function linkImports(
  { path, text }: Segment,
  files: FileSystem,
  add: (bytes: Uint8Array) => string,
): Promise<Segment> {
  let linked = text;
  for (const [whole, clause = "", specifier = ""] of text.matchAll(LEFT_IMPORT)) {
    const target = posix.join(posix.dirname(path), specifier);
    const bytes = target.startsWith("../") ? undefined : await files.read(target);
    if (bytes === undefined) {
      throw failed("COMPILE_FAILED", `${path}: the Wasm file "${specifier}" is not in the tree.`);
    }
    if (clause.includes("{") || clause.includes("*")) {
      const message = `${path}: "${specifier}" is imported as a module elsewhere; use one way only.`;
      throw failed("COMPILE_FAILED", message);
    }
    linked = linked.replace(whole, () => `import ${clause} from "./${add(bytes)}";`);
  }
  return { path, text: linked };
}
