/**
 * `ignite/sdk` for projects outside of this checkout, in dist/package: one JavaScript module
 * without imports, which Node 20 and bundlers take, and its types. The sources themselves serve
 * neither: Node strips no types of packages, and `tsc` would check them by the rules of the project
 * that imports them.
 */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { isFresh, rebuild } from "./built.mjs";
import { withoutRules } from "./bundle.mjs";

const ENTRY = "sdk/mod.ts";
/** Changes of these make the package stale. */
const ALWAYS = ["package-lock.json", "cli/built.mjs", "cli/bundle.mjs", "cli/sdk-package.mjs"];

/** tsc looks for `app.d.ts` when it reads `./app.js`; deno has to be told. */
const RELATIVE_IMPORT = /^((?:import|export) .*from )"(\.[^"]*)\.ts";$/gm;
const TYPED_IMPORT = '// @ts-types="$2.d.ts"\n$1"$2.js";';

/** Makes the package unless it is up to date. Answers whether it had to. */
export async function buildSdkPackage(root) {
  const folder = join(root, "dist", "package");
  if (isFresh(root, folder)) return false;
  await rebuild(root, folder, async (fresh) => {
    await declareTypes(root, fresh);
    return [...(await bundle(root, fresh)), ...ALWAYS];
  });
  return true;
}

/** Answers the sources that the module is made from. */
async function bundle(root, folder) {
  const { build } = await import("esbuild");
  const { metafile } = await build({
    absWorkingDir: resolve(root),
    entryPoints: [ENTRY],
    outfile: join(folder, "sdk", "mod.js"),
    bundle: true,
    platform: "neutral",
    mainFields: ["module", "main"],
    format: "esm",
    target: "es2022",
    metafile: true,
    logLevel: "silent",
    plugins: [withoutRules],
  });
  return Object.keys(metafile.inputs).filter((path) => !path.startsWith("node_modules/"));
}

/** With the compiler in deno, since TypeScript is installed only for working on Ignite. */
async function declareTypes(root, folder) {
  const cache = join(folder, ".deno");
  const flags = ["--no-config", "--no-remote", "--node-modules-dir=manual", "--declaration"];
  const deno = join(root, "node_modules", "deno", "deno");
  await promisify(execFile)(deno, ["transpile", ...flags, "--outdir", folder, ENTRY], {
    cwd: root,
    env: { ...process.env, DENO_DIR: cache, DENO_NO_UPDATE_CHECK: "1" },
  });
  rmSync(cache, { recursive: true, force: true });
  for (const path of readdirSync(folder, { recursive: true })) {
    if (!path.endsWith(".d.ts")) continue;
    const text = readFileSync(join(folder, path), "utf8");
    writeFileSync(join(folder, path), text.replaceAll(RELATIVE_IMPORT, TYPED_IMPORT));
  }
}
