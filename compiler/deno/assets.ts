/** Static files of an app: which ones, under which name, with which content type. */
import { posix } from "node:path";
import type { BundlePart } from "../../core/bundle.ts";
import { assetsMax } from "../../core/limits.ts";
import { type Diagnostic, diagnostic } from "../diagnostics.ts";
import type { ManifestBuild } from "../manifest/manifest.ts";
import type { FileSystem } from "../ports.ts";
import { contentTypeOf } from "./content-types.ts";
import { isSource } from "./sources.ts";

/** A static file of the artifact. */
export type Asset = BundlePart<{ contentType: string }>;

/** Never shipped, whatever the globs say: what steers compiling. */
const NEVER = new Set(["ignite.toml", "deno.lock", ".npmrc", ".env"]);

/**
 * The files that `[build]` names with `assets` and `include`, less `exclude`. A static site's
 * files lose the folder that all of them are in, so that `public/index.html` is served at
 * `/index.html`.
 */
export async function collectAssets(
  files: FileSystem,
  build: ManifestBuild,
  stripFolder: boolean,
): Promise<{ assets: Asset[]; diagnostics: Diagnostic[] }> {
  const all = await files.list();
  const chosen = all.filter((path) => isAsset(path, build));
  const diagnostics = build.assets
    .filter((glob) => !chosen.some((path) => matches(path, glob)))
    .map((glob) => emptyGlob(glob));
  if (chosen.length > assetsMax) {
    const message = `There are ${chosen.length} static files; ${assetsMax} are allowed.`;
    return { assets: [], diagnostics: [diagnostic("ASSETS_TOO_MANY", message)] };
  }
  const prefix = stripFolder ? commonFolder(chosen) : "";
  const assets = await Promise.all(
    chosen.map(async (path) => ({
      name: path.slice(prefix.length),
      bytes: (await files.read(path)) ?? new Uint8Array(0),
      meta: { contentType: contentTypeOf(path) },
    })),
  );
  return { assets, diagnostics };
}

/** All that `assets` names, and of what `include` names all that is no source. */
function isAsset(path: string, build: ManifestBuild): boolean {
  if (NEVER.has(path) || build.exclude.some((glob) => matches(path, glob))) return false;
  if (build.assets.some((glob) => matches(path, glob))) return true;
  return !isSource(path) && build.include.some((glob) => matches(path, glob));
}

/** A glob that names a folder means all that is in it. */
function matches(path: string, glob: string): boolean {
  const plain = glob.replace(/^\.\//, "").replace(/\/$/, "");
  return posix.matchesGlob(path, plain) || posix.matchesGlob(path, `${plain}/**`);
}

function emptyGlob(glob: string): Diagnostic {
  return diagnostic("ASSETS_EMPTY", `[build] assets has "${glob}", which matches no file.`, {
    severity: "warning",
    file: "ignite.toml",
  });
}

function commonFolder(paths: readonly string[]): string {
  const first = paths[0]?.split("/")[0] ?? "";
  const prefix = `${first}/`;
  return paths.length > 0 && paths.every((path) => path.startsWith(prefix)) ? prefix : "";
}
