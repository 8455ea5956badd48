/** Static files of an app: which ones, under which name, with which content type. */
import type { BundlePart } from "../../core/bundle.ts";
import { assetsMax } from "../../core/limits.ts";
import { type Diagnostic, diagnostic } from "../diagnostics.ts";
import { Glob } from "../glob.ts";
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
  const globs = {
    assets: globsOf(build.assets),
    exclude: globsOf(build.exclude),
    include: globsOf(build.include),
  };
  const chosen = (await files.list()).filter((path) => isAsset(path, globs));
  const diagnostics = globs.assets
    .filter((glob) => !chosen.some((path) => glob.matches(path)))
    .map(({ text }) => emptyGlob(text));
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
function isAsset(path: string, globs: Record<"assets" | "exclude" | "include", Glob[]>): boolean {
  const isNamed = (list: Glob[]) => list.some((glob) => glob.matches(path));
  if (NEVER.has(path) || isNamed(globs.exclude)) return false;
  return isNamed(globs.assets) || (!isSource(path) && isNamed(globs.include));
}

function globsOf(texts: readonly string[]): Glob[] {
  return texts.map((text) => new Glob(text));
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
