/** Makes the modules of an artifact of what deno bundle wrote, which is read as untrusted. */
import type { ModuleType } from "../../core/bundle.ts";
import type { FileSystem } from "../ports.ts";
import { restoreImportMeta } from "./import-meta.ts";
import { provideRequire } from "./node-require.ts";
import { usesNode } from "./node-use.ts";
import { splitSegments } from "./segments.ts";
import { decoded } from "./text.ts";
import { liftWasm } from "./wasm.ts";

/** A module of the artifact. */
export interface OutputModule {
  name: string;
  bytes: Uint8Array;
  meta: { type: ModuleType };
}

/** The code of an app, ready for the artifact. */
export interface Output {
  modules: readonly OutputModule[];
  sourceMap: Uint8Array | undefined;
  /** Source files that are in it, with their text. */
  sources: ReadonlyMap<string, string>;
  /** Whether it uses modules or globals of Node. */
  usesNode: boolean;
  /** Whether it registers a handler in a way that we know. */
  hasHandler: boolean;
}

/** What was bundled, with folders as deno saw them. */
export interface Bundled {
  code: string;
  /** JSON text. */
  sourceMap: string | undefined;
  main: string;
  folders: { source: string; output: string; cache: string };
  files: FileSystem;
}

/** The name of the main module. */
export const mainModule = "main.js";

const HANDLER = /\bas default\b|\bexport default\b|\bDeno\.serve\b/;

/** Reads the bundled code and its source map. */
export async function readOutput(bundled: Bundled): Promise<Output> {
  const map = bundled.sourceMap === undefined ? undefined : normalizeMap(bundled);
  const sources = map?.sources ?? new Map<string, string>();
  const segments = splitSegments(bundled.code, new Set(sources.keys()), bundled.main);
  const own = restoreImportMeta(segments, bundled.main);
  const { code, modules } = await liftWasm(own, bundled.files);
  const whole = provideRequire(code);
  const encoder = new TextEncoder();
  return {
    modules: [
      { name: mainModule, bytes: encoder.encode(whole), meta: { type: "js" } },
      ...modules.map((wasm) => ({ ...wasm, meta: { type: "wasm" } as const })),
    ],
    sourceMap: map && encoder.encode(map.text),
    sources,
    usesNode: usesNode(segments),
    hasHandler: HANDLER.test(code),
  };
}

function normalizeMap(bundled: Bundled): { text: string; sources: Map<string, string> } {
  const map = JSON.parse(bundled.sourceMap ?? "{}") as {
    sources: string[];
    sourcesContent?: (string | null)[];
  };
  const names = map.sources.map((source) => sourceName(source, bundled.folders));
  const sources = new Map<string, string>();
  names.forEach((name, at) => {
    if (!/^npm:|:\/\/|^\//.test(name)) sources.set(name, map.sourcesContent?.[at] ?? "");
  });
  // The text of packages is large and can be had elsewhere
  const sourcesContent = names.map((name) => sources.get(name) ?? null);
  return { text: JSON.stringify({ ...map, sources: names, sourcesContent }), sources };
}

/**
 * A path of the tree, `npm:name@version/path`, or an address; maps have them relative to the
 * output.
 */
function sourceName(source: string, folders: Bundled["folders"]): string {
  const path = URL.parse(source, `file://${folders.output}/`);
  if (path === null) return source; // As the map of a package has it, which may say anything
  if (path.protocol !== "file:") return path.href;
  const { pathname } = path;
  if (pathname.startsWith(`${folders.source}/`)) {
    return decoded(pathname.slice(folders.source.length + 1));
  }
  const npm = /\/npm\/[^/]+\/((?:@[^/]+\/)?[^/]+)\/([^/]+)\/(.*)$/.exec(pathname);
  const isPackage = pathname.startsWith(`${folders.cache}/`) && npm !== null;
  return isPackage ? `npm:${npm[1]}@${npm[2]}/${npm[3]}` : pathname;
}
