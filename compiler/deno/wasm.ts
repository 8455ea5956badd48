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
const CONSTRUCTED = /\bnew WebAssembly\.Module\(([\w$]+)\)/g;
// Begins only where a word does, so that long ones are read once
const INLINED =
  /(?<![\w$])([\w$]+)(\s*=\s*)Uint8Array\.from\(atob\("(AGFzb[A-Za-z0-9+/=]*)"\),\s*\(?([\w$]+)\)?\s*=>\s*\4\.charCodeAt\(0\)\)/g;

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
  const lifted = new Set<string>();
  const text = code.replace(INLINED, (_, variable: string, equals: string, base64: string) => {
    const name = add(Buffer.from(base64, "base64"));
    lifted.add(variable);
    lines.push(`import __ignite_wasm_${lines.length} from "./${name}";`);
    return `${variable}${equals}__ignite_wasm_${lines.length - 1}`;
  });
  if (lines.length === 0) return code;
  const linked = text.replace(CONSTRUCTED, (whole, variable: string) =>
    lifted.has(variable) ? variable : whole,
  );
  return `${linked}\n${lines.join("\n")}\n`;
}

/** Imports that were left alone; their specifiers count from the module that they are in. */
async function linkImports(
  { path, text }: Segment,
  files: FileSystem,
  add: (bytes: Uint8Array) => string,
): Promise<Segment> {
  const names = new Map<string, string>();
  for (const [, clause = "", specifier = ""] of text.matchAll(LEFT_IMPORT)) {
    if (!names.has(specifier)) names.set(specifier, add(await readWasm(path, specifier, files)));
    if (clause.includes("{") || clause.includes("*")) {
      const message = `${path}: "${specifier}" is imported as a module elsewhere; use one way only.`;
      throw failed("COMPILE_FAILED", message);
    }
  }
  if (names.size === 0) return { path, text };
  const linked = text.replace(
    LEFT_IMPORT,
    (_, clause: string, specifier: string) =>
      `import ${clause} from "./${names.get(specifier) ?? ""}";`,
  );
  return { path, text: linked };
}

async function readWasm(path: string, specifier: string, files: FileSystem): Promise<Uint8Array> {
  const target = posix.join(posix.dirname(path), specifier);
  const bytes = target.startsWith("../") ? undefined : await files.read(target);
  if (bytes !== undefined) return bytes;
  throw failed("COMPILE_FAILED", `${path}: the Wasm file "${specifier}" is not in the tree.`);
}
