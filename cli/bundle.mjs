/**
 * The bundle of the command line in dist/cli, made anew when a source it was made from has
 * changed. `node cli/bundle.mjs` makes it ahead of the first command.
 */
import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isFresh, rebuild } from "./built.mjs";

/** Changes of these make every bundle stale. */
const ALWAYS = ["package-lock.json", "cli/built.mjs", "cli/bundle.mjs"];
/** Parts that the bundled commands load from their sources, if ever: none of them runs here. */
const OUTSIDE = /\/(?:runtime|region|control|cli\/platform|cli\/dev)\//;

/**
 * The path of an up-to-date bundle. Undefined when there is none and none can be made: then the
 * sources have to be run.
 */
export async function bundledMain(root) {
  const folder = join(root, "dist", "cli");
  if (isFresh(root, folder)) return join(folder, "main.mjs");
  try {
    await rebuild(root, folder, (fresh) => makeBundle(root, fresh));
    return join(folder, "main.mjs");
  } catch (error) {
    if (process.env.IGNITE_DEBUG) process.stderr.write(`bundle: ${error.stack}\n`);
    return undefined;
  }
}

async function makeBundle(root, folder) {
  const { build } = await import("esbuild");
  const { metafile } = await build({
    absWorkingDir: resolve(root),
    entryPoints: ["cli/main.ts"],
    outdir: folder,
    bundle: true,
    splitting: true,
    minifyWhitespace: true,
    platform: "node",
    format: "esm",
    target: "node20",
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunks/[name]-[hash]",
    banner: { js: REQUIRE },
    metafile: true,
    logLevel: "silent",
    plugins: [outside, withoutRules],
  });
  const inputs = Object.keys(metafile.inputs).filter((path) => !path.startsWith("node_modules/"));
  return [...inputs, ...ALWAYS];
}

/** CommonJS packages in an ES module bundle ask for Node's own modules by `require`. */
const REQUIRE =
  'import{createRequire as ignite_cr}from"node:module";const require=ignite_cr(import.meta.url);';

const outside = {
  name: "outside",
  setup(build) {
    build.onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
      const target = isAbsolute(path) ? path : join(resolveDir, path);
      return OUTSIDE.test(target) && !target.includes("/node_modules/")
        ? { path: target, external: true }
        : undefined;
    });
  },
};

/**
 * The rules of fields are checked by the platform, not here. Their own descriptor, which is as
 * large as all of ours together, becomes an empty file of the same name.
 */
export const withoutRules = {
  name: "without-rules",
  setup(build) {
    build.onLoad({ filter: /\/buf\/validate\/validate_pb\.js$/ }, () => ({
      contents:
        'import { fileDesc } from "@bufbuild/protobuf/codegenv2";' +
        `export const file_buf_validate_validate = fileDesc("${EMPTY_VALIDATE_PROTO}");`,
      resolveDir: build.initialOptions.absWorkingDir,
    }));
  },
};

/** A FileDescriptorProto that has a name and a package, `buf.validate`, and nothing else. */
const EMPTY_VALIDATE_PROTO = "ChtidWYvdmFsaWRhdGUvdmFsaWRhdGUucHJvdG8SDGJ1Zi52YWxpZGF0ZQ";

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  process.exitCode = (await bundledMain(root)) === undefined ? 1 : 0;
}
