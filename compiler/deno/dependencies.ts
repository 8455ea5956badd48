/** Which packages an app depends on, by a look at its text. */
import { createHash } from "node:crypto";
import { isConfig, type SourceTexts } from "./sources.ts";

/** What a fetch of packages depends on. */
export interface Dependencies {
  /** Whether anything outside the tree is named at all. */
  external: boolean;
  /** Path of the lock file, where there is one. */
  lockFile: string | undefined;
  /** Equal keys need equal packages: a digest of the configuration and the specifiers. */
  key: string;
}

const SPECIFIER = /["'`]((?:npm|jsr|https?):[^"'`\s]+)["'`]/g;
const IMPORTED =
  /\bfrom\s*["'](?:npm|jsr|https?):|\bimport\s*(?:\(\s*)?["'](?:npm|jsr|https?):|@jsxImportSource\s/;
const DECLARED = /(?:npm|jsr|https?):|"(?:dependencies|devDependencies|importMap|jsxImportSource)"/;

const LOCK_OFF = /"lock"\s*:\s*false/;
const LOCK_PATH = /"lock"\s*:\s*(?:"([^"]+)"|\{[^{}]*"path"\s*:\s*"([^"]+)")/;

/** Looks at every module and configuration file. */
export function findDependencies(texts: SourceTexts): Dependencies {
  const hash = createHash("sha256");
  const specifiers = new Set<string>();
  let external = false;
  for (const [path, text] of texts) {
    external ||= (isConfig(path) ? DECLARED : IMPORTED).test(text);
    if (isConfig(path)) hash.update(`${path}\0${text}\0`);
    else for (const [, specifier = ""] of text.matchAll(SPECIFIER)) specifiers.add(specifier);
  }
  hash.update([...specifiers].toSorted().join("\0"));
  return { external, lockFile: findLock(texts), key: hash.digest("hex") };
}

/** The lock file that the configuration names, or the usual one. */
function findLock(texts: SourceTexts): string | undefined {
  const config = texts.get("deno.json") ?? texts.get("deno.jsonc") ?? "";
  if (LOCK_OFF.test(config)) return undefined;
  const match = LOCK_PATH.exec(config);
  const named = (match?.[1] ?? match?.[2])?.replace(/^\.\//, "");
  const path = named ?? "deno.lock";
  return texts.has(path) ? path : undefined;
}
