/** Packages, from a registry of the test's own: what is fetched, kept apart, and never run. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { packageHostsOf } from "./deno/registries.ts";
import { createIncrementalCompiler } from "./incremental.ts";
import { packTree } from "./pack-tree.ts";
import {
  startTemporaryCompiler,
  testToolchainFolder,
  type TemporaryCompiler,
} from "./temporary-compile.ts";

const HANDLER = 'export default { fetch() { return new Response("ok"); } };\n';
const USE = `import { greet } from "npm:greeter@1.0.0";\nconsole.log(greet);\n${HANDLER}`;

const NO_JAIL = "no jail can be built on this machine";

/** As iconv-lite does it: which part is bundled and which one is asked for must agree. */
const SIDED = {
  "package/package.json": JSON.stringify({
    name: "sided",
    version: "1.0.0",
    main: "index.js",
    browser: { "./part": false },
  }),
  "package/index.js": `const hasNode = typeof process !== "undefined" && process.versions?.node;
    exports.side = hasNode ? require("./part")() : "web";`,
  "package/part.js": 'module.exports = () => "part-for-node";\n',
};

let compiler: TemporaryCompiler;
let registry: Server;
let url: string;
let asked: string[] = [];

beforeAll(async () => {
  compiler = await startTemporaryCompiler();
  const sided = await packTree(SIDED);
  const greeter = await packTree({
    "package/package.json": JSON.stringify({
      name: "greeter",
      version: "1.0.0",
      type: "module",
      main: "index.js",
      scripts: { postinstall: "echo RAN > /ignite/cache/ran && echo RAN" },
    }),
    "package/index.js": 'export const greet = "from-the-registry";\n',
  });
  registry = createServer((request, response) => {
    asked.push(request.url ?? "");
    const name = /^\/(greeter|sided)(\.tgz)?$/.exec(request.url ?? "");
    if (name?.[1] !== undefined) {
      const tarball = name[1] === "sided" ? sided : greeter;
      return void response.end(name[2] ? tarball : JSON.stringify(packument(name[1], tarball)));
    }
    const module = jsrFiles()[request.url ?? ""];
    response.writeHead(module === undefined ? 404 : 200).end(module ?? "{}");
  }).listen(0, "127.0.0.1");
  await once(registry, "listening");
  url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`;
});

afterAll(async () => {
  await compiler?.close();
  registry?.close();
});

function packument(name: string, tarball: Uint8Array) {
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const version = {
    name,
    version: "1.0.0",
    hasInstallScript: true,
    scripts: { postinstall: "echo RAN" },
    dist: { tarball: `${url}${name}.tgz`, integrity },
  };
  return { name, "dist-tags": { latest: "1.0.0" }, versions: { "1.0.0": version } };
}

/** `@std/greet` as jsr serves it. */
function jsrFiles(): Record<string, string> {
  const code = 'export const greet: string = "from-jsr";\n';
  const checksum = `sha256-${createHash("sha256").update(code).digest("hex")}`;
  const versions = { "1.0.0": {} };
  const manifest = { "/mod.ts": { size: code.length, checksum } };
  return {
    "/@std/greet/meta.json": JSON.stringify({ scope: "std", name: "greet", versions }),
    "/@std/greet/1.0.0_meta.json": JSON.stringify({ manifest, exports: { ".": "./mod.ts" } }),
    "/@std/greet/1.0.0/mod.ts": code,
  };
}

/** Without walls there is no proxy, and nothing of this holds. */
function build(files: Record<string, string>) {
  asked = [];
  return compiler.compile(files, { npmRegistry: url, packageHosts: packageHostsOf(url) });
}

test("compile() fetches packages once and bundles them", async ({ skip }) => {
  skip(!compiler.toolchain.process.walled, NO_JAIL);
  const first = await build({ "main.ts": USE });
  expect(first.text).toBe("");
  expect(first.result).toMatchObject({ ok: true });
  expect(asked).toEqual(["/greeter", "/greeter.tgz"]);
  const second = await build({ "main.ts": USE });
  expect(asked).toEqual([]);
  expect(second.result).toMatchObject({ digest: (first.result as { digest?: string }).digest });
});

test("compile() takes a package's part for Node where the app has Node's modules", async ({
  skip,
}) => {
  skip(!compiler.toolchain.process.walled, NO_JAIL);
  const use = `import { side } from "npm:sided@1.0.0";\nconsole.log(side);\n${HANDLER}`;
  const onNode = await build({ "main.ts": `import "node:buffer";\n${use}` });
  expect(textOf(onNode.result)).toContain("part-for-node");
  expect(textOf(onNode.result)).toContain("nodejs_compat");
  const onWeb = await build({ "main.ts": use });
  expect(textOf(onWeb.result)).not.toContain("part-for-node");
  expect(textOf(onWeb.result)).not.toContain("nodejs_compat");
});

const textOf = (result: Awaited<ReturnType<typeof build>>["result"]) =>
  result.ok ? Buffer.from(result.artifact).toString("utf8") : JSON.stringify(result);

test("compile() fetches modules of jsr, by a registry in its place", async ({ skip }) => {
  skip(!compiler.toolchain.process.walled, NO_JAIL);
  const { result, text } = await compiler.compile(
    { "main.ts": `import { greet } from "jsr:@std/greet@1";\nconsole.log(greet);\n${HANDLER}` },
    { npmRegistry: url, jsrRegistry: url, packageHosts: packageHostsOf(url) },
  );
  expect(text).toBe("");
  if (result.ok) expect(Buffer.from(result.artifact).toString("utf8")).toContain("from-jsr");
});

test("compile() never runs scripts of packages, whatever deno.json says", async ({ skip }) => {
  skip(!compiler.toolchain.process.walled, NO_JAIL);
  const config = {
    nodeModulesDir: "auto",
    allowScripts: true,
    imports: { greeter: "npm:greeter@1" },
  };
  const use = USE.replace("npm:greeter@1.0.0", "greeter");
  const { result, log } = await build({ "main.ts": use, "deno.json": JSON.stringify(config) });
  expect(result.ok).toBe(true);
  expect(log.join("\n")).not.toContain("RAN");
});

test("compile() imports nothing of the npm registry by its address", async ({ skip }) => {
  skip(!compiler.toolchain.process.walled, NO_JAIL);
  const { result, log } = await build({
    "main.ts": `import text from "${url}greeter" with { type: "text" };\nconsole.log(text);\n${HANDLER}`,
    "deno.json": '{"unstable": ["raw-imports"]}',
  });
  expect(result.ok).toBe(false);
  expect(result.diagnostics[0]).toMatchObject({ id: "UNRESOLVED_IMPORT" });
  expect(asked).toEqual([]);
  expect(log.join("\n")).not.toContain("dist-tags");
});

test("compile() says which package cannot be had", async ({ skip }) => {
  skip(!compiler.toolchain.process.walled, NO_JAIL);
  const { result } = await build({ "main.ts": `import "npm:no-such-package@1";\n${HANDLER}` });
  expect(result.diagnostics[0]).toMatchObject({
    id: "PACKAGE_FETCH",
    file: "main.ts",
    line: 1,
    column: 8,
  });
});

test("compile() refuses a lock file that disagrees with the imports", async ({ skip }) => {
  skip(!compiler.toolchain.process.walled, NO_JAIL);
  const lock = { version: "5", specifiers: {}, npm: {} };
  const { result } = await build({ "main.ts": USE, "deno.lock": JSON.stringify(lock) });
  expect(result.diagnostics[0]).toMatchObject({ id: "LOCK_OUTDATED" });
});

test("compile() refuses a package whose bytes are not those of the lock file", async ({ skip }) => {
  skip(!compiler.toolchain.process.walled, NO_JAIL);
  const fresh = await startTemporaryCompiler();
  const lock = {
    version: "5",
    specifiers: { "npm:greeter@1.0.0": "1.0.0" },
    npm: { "greeter@1.0.0": { integrity: "sha512-AAAA", tarball: `${url}greeter.tgz` } },
  };
  const files = { "main.ts": USE, "deno.lock": JSON.stringify(lock) };
  const options = { npmRegistry: url, packageHosts: packageHostsOf(url) };
  const { result } = await fresh.compile(files, options).finally(fresh.close);
  expect(result.diagnostics[0]).toMatchObject({ id: "LOCK_OUTDATED" });
});

test("compile() for one organization does not see packages of another", async ({ skip }) => {
  skip(!compiler.toolchain.process.walled, NO_JAIL);
  expect((await build({ "main.ts": USE })).result.ok).toBe(true);
  const other = await startTemporaryCompiler();
  const options = { npmRegistry: url, packageHosts: ["127.0.0.1:9"], owner: "other" };
  const { result } = await other.compile({ "main.ts": USE }, options).finally(other.close);
  expect(result.diagnostics[0]).toMatchObject({ id: "PACKAGE_FETCH" });
});

test("compile() reaches no registry that is not configured", async ({ skip }) => {
  skip(!compiler.toolchain.process.walled, NO_JAIL);
  const { result, log } = await compiler.compile(
    { "main.ts": USE.replace("greeter@1.0.0", "greeter@^1.0.0"), ".npmrc": `registry=${url}\n` },
    { npmRegistry: "http://127.0.0.1:9/", packageHosts: packageHostsOf("http://127.0.0.1:9/") },
  );
  expect(result.ok).toBe(false);
  expect(log.join("\n")).not.toContain("from-the-registry");
});

test("createIncrementalCompiler() blames the package that is missing, and no other", async () => {
  const dir = await mkdtemp(join(tmpdir(), "ignite-dev-app-"));
  vi.stubEnv("NPM_CONFIG_REGISTRY", url);
  const compiler = await createIncrementalCompiler({ dir, cacheDir: testToolchainFolder });
  try {
    const missing = 'import lost from "npm:no-such-package@1";\nconsole.log(lost);\n';
    await writeFile(join(dir, "main.ts"), `${USE}${missing}`);
    const { ok, diagnostics } = await compiler.rebuild();
    expect(ok).toBe(false);
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]).toMatchObject({ id: "PACKAGE_FETCH", line: 4, column: 18 });
    expect(diagnostics[0]?.message).toContain("no-such-package");
  } finally {
    vi.unstubAllEnvs();
    await compiler.dispose();
    await rm(dir, { recursive: true, force: true });
  }
});
