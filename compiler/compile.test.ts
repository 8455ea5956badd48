/** The passes as a whole, with the real toolchain. */
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bundle, decodeBundle } from "../core/bundle.ts";
import { compile } from "./compile.ts";
import { memoryFileSystem, memoryProcess } from "./ports.ts";
import type { CompileResult } from "./request.ts";
import { startTemporaryCompiler, type TemporaryCompiler } from "./temporary-compile.ts";

const HANDLER = 'export default { fetch() { return new Response("ok"); } };\n';
const WASM = Buffer.from(
  "0061736d010000000105016000017f03020100070501016100000a06010400412a0b",
  "hex",
);

let compiler: TemporaryCompiler;
beforeAll(async () => {
  compiler = await startTemporaryCompiler();
});
afterAll(() => compiler?.close());

function bundleOf(result: CompileResult): Bundle {
  if (!result.ok) throw new Error(`${result.message}\n${JSON.stringify(result.diagnostics)}`);
  return decodeBundle(result.artifact.buffer);
}

function codeOf(result: CompileResult): string {
  const bundle = bundleOf(result);
  const main = bundle.index.modules.find((each) => each.name === bundle.index.main);
  return new TextDecoder().decode(main && bundle.bytesOf(main));
}

test("compile() bundles modules, JSON, text and bytes into one module with a source map", async () => {
  const { result } = await compiler.compile({
    "main.ts": [
      'import { one } from "@lib/one.ts";',
      'import data from "./data.json" with { type: "json" };',
      'import text from "./text.txt" with { type: "text" };',
      'import bytes from "./text.txt" with { type: "bytes" };',
      "Deno.serve((_: Request) => Response.json([one, data, text, bytes]));",
    ].join("\n"),
    "lib/one.ts": "export const one: number = 1;",
    "data.json": '{"value": "from-json"}',
    "text.txt": "from-text",
    "deno.json": '{"imports": {"@lib/": "./lib/"}}',
  });
  const code = codeOf(result);
  expect(code).toMatch(/from-json/);
  expect(code).toMatch(/from-text/);
  const bundle = bundleOf(result);
  const { sourceMap } = bundle.index;
  const map = JSON.parse(new TextDecoder().decode(sourceMap && bundle.bytesOf(sourceMap)));
  expect(map.sources).toEqual(expect.arrayContaining(["main.ts", "lib/one.ts"]));
});

test("compile() compiles JSX", async () => {
  const { result } = await compiler.compile({
    "main.tsx": `/** @jsxImportSource ./jsx */\nexport default { fetch() { return new Response(<p>hi</p>); } };`,
    "jsx/jsx-runtime": "",
    "deno.json": '{"imports": {"./jsx/jsx-runtime": "./runtime.ts"}}',
    "runtime.ts": "export const jsx = (tag: string) => `<${tag}>`;\n",
    "ignite.toml": 'app = "jsx"\n',
  });
  expect(codeOf(result)).toMatch(/jsx\("p"/);
});

test("compile() makes modules of Wasm, in Deno's form and as a module", async () => {
  const { result } = await compiler.compile({
    "main.ts": [
      'import { a } from "./wasm/a.wasm";',
      'import module from "./b.wasm";',
      "Deno.serve(() => new Response(String(a()) + module));",
    ].join("\n"),
    "wasm/a.wasm": WASM,
    "b.wasm": WASM.subarray(0, 8),
  });
  const { modules } = bundleOf(result).index;
  const sizes = modules.filter(({ type }) => type === "wasm").map(({ length }) => length);
  expect(sizes.toSorted((a, b) => a - b)).toEqual([8, WASM.length]);
  const code = codeOf(result);
  expect(code).not.toMatch(/atob|new WebAssembly\.Module/);
  for (const { name } of modules.filter(({ type }) => type === "wasm"))
    expect(code).toContain(name);
});

test("compile() finds Wasm from the module that imports it", async () => {
  const { result } = await compiler.compile({
    "main.ts":
      'import m from "./x.wasm";\nimport { n } from "./sub/n.ts";\nDeno.serve(() => m ?? n);',
    "sub/n.ts": 'import m from "./x.wasm";\nexport const n = m;',
    "x.wasm": WASM,
    "sub/x.wasm": WASM.subarray(0, 8),
  });
  const { modules } = bundleOf(result).index;
  expect(modules.filter(({ type }) => type === "wasm")).toHaveLength(2);
});

test("compile() gives each module its own import.meta", async () => {
  const { result } = await compiler.compile({
    "main.ts": `import { u } from "./sub/x.ts";\nconsole.log(u, import.meta.main, import.meta.url);${HANDLER}`,
    "sub/x.ts": "export const u = [import.meta.dirname, import.meta.main];",
  });
  expect(codeOf(result)).toMatch(/"\/app\/sub"\s*,\s*false/);
  expect(codeOf(result)).toMatch(/console\.log\(u, true\s*, "file:\/\/\/app\/main\.ts"\)/);
});

test("compile() of equal sources gives equal artifacts, whatever the folder", async () => {
  const files = {
    "main.ts": `import { x } from "./x.ts";\nconsole.log(x);${HANDLER}`,
    "x.ts": "export const x = import.meta.url;",
    "public/a.txt": "a",
    "ignite.toml": 'app = "same"\n[build]\nassets = ["public"]\n',
  };
  const first = await compiler.compile(files);
  const second = await compiler.compile(files);
  expect(first.result.ok && first.result.digest).toBeTruthy();
  expect(second.result).toMatchObject({ digest: (first.result as { digest?: string }).digest });
});

test("compile() of static files alone makes a site of them", async () => {
  const { result } = await compiler.compile({
    "ignite.toml": 'app = "site"\n[build]\nassets = ["public/**"]\nexclude = ["**/*.draft"]\n',
    "public/index.html": "<h1>hi</h1>",
    "public/css/style.css": "h1 {}",
    "public/x.draft": "",
  });
  const { assets } = bundleOf(result).index;
  expect(assets.map(({ name, contentType }) => [name, contentType])).toEqual([
    ["css/style.css", "text/css; charset=utf-8"],
    ["index.html", "text/html; charset=utf-8"],
  ]);
});

test("compile() ships what [build] include names and is no source", async () => {
  const { result } = await compiler.compile({
    "main.ts": HANDLER,
    "ignite.toml": '[build]\ninclude = ["src", "data/*.csv"]\n',
    "src/a.ts": "",
    "src/a.txt": "",
    "data/b.csv": "",
    "data/c.txt": "",
  });
  const { assets } = bundleOf(result).index;
  expect(assets.map(({ name }) => name)).toEqual(["data/b.csv", "src/a.txt"]);
});

test("compile() asks for Node's modules only where they are used", async () => {
  const plain = await compiler.compile({ "main.ts": HANDLER });
  const node = await compiler.compile({
    "main.ts": `import { join } from "node:path";\nconsole.log(join("a"));${HANDLER}`,
  });
  expect(bundleOf(plain.result).index.compatibilityFlags).toEqual([]);
  expect(bundleOf(node.result).index.compatibilityFlags).toEqual(["nodejs_compat"]);
});

const broken: [string, Record<string, string>, object][] = [
  [
    "does not parse",
    { "main.ts": "const a = 1;\nexport defalt {" },
    { id: "SYNTAX", file: "main.ts", line: 2, column: 8, length: 6, lineText: "export defalt {" },
  ],
  [
    "does not resolve",
    { "main.ts": 'import "./nope.ts";' },
    { id: "UNRESOLVED_IMPORT", file: "main.ts", line: 1, column: 8 },
  ],
  [
    "imports a bare name",
    { "main.ts": 'import { z } from "zod";\nconsole.log(z);' },
    { id: "UNRESOLVED_IMPORT", line: 1, column: 19, fix: expect.stringContaining("npm:zod") },
  ],
  [
    "imports what is not exported",
    { "main.ts": 'import { b } from "./a.ts";\nconsole.log(b);', "a.ts": "export const a = 1;" },
    { id: "MISSING_EXPORT", file: "main.ts", line: 1, column: 10 },
  ],
  [
    "has a type error",
    { "main.ts": `const a: number = "x";\n${HANDLER}`, "ignite.toml": "[build]\ncheck = true\n" },
    { id: "TYPE", message: expect.stringContaining("TS2322"), file: "main.ts", line: 1, column: 7 },
  ],
  [
    "has JSON that does not parse",
    {
      "main.ts": 'import a from "./a.json" with { type: "json" };console.log(a);',
      "a.json": '{"x":\n 1,,}',
    },
    { id: "SYNTAX", file: "a.json", line: 2, column: 4 },
  ],
  [
    "has a deno.json that does not parse",
    { "main.ts": HANDLER, "deno.json": '{ "imports": {' },
    { id: "CONFIG_INVALID", file: "deno.json", line: 1 },
  ],
  ["has no start module", { "server.ts": HANDLER }, { id: "MAIN_MISSING" }],
  [
    "names a start module that is not there",
    { "server.ts": HANDLER, "ignite.toml": 'main = "servr.ts"\n' },
    { id: "MAIN_MISSING", fix: 'Did you mean "server.ts"?' },
  ],
  [
    "has a lock file that is damaged",
    { "main.ts": HANDLER, "deno.lock": '{"version":' },
    { id: "LOCK_OUTDATED", file: "deno.lock" },
  ],
  ["wants another runtime", { "ignite.toml": 'runtime = "go"\n' }, { id: "RUNTIME_UNSUPPORTED" }],
  [
    "asks for a container",
    { "main.ts": HANDLER, "ignite.toml": 'placement = "region"\n' },
    { id: "RUNTIME_UNSUPPORTED" },
  ],
  [
    "has a manifest with a mistake",
    { "main.ts": HANDLER, "ignite.toml": 'app = "x"\nmian = "main.ts"\n' },
    { id: "MANIFEST_FIELD", file: "ignite.toml", line: 2, column: 1, fix: 'Did you mean "main"?' },
  ],
];

test.each(broken)(
  "compile() of a source that %s says where",
  async (_, files, expected) => {
    const { result } = await compiler.compile(files);
    expect(result.ok).toBe(false);
    expect(result.diagnostics[0]).toMatchObject({ severity: "error", ...expected });
  },
  30_000,
);

test("compile() warns of secrets, which this release does not keep", async () => {
  const toml = '[secrets]\nDATABASE_URL = "db"\nTOKEN = "token#field"\n';
  const { result } = await compiler.compile({ "main.ts": HANDLER, "ignite.toml": toml });
  expect(result.ok).toBe(true);
  expect(result.diagnostics).toMatchObject([
    { severity: "warning", message: expect.stringContaining("without DATABASE_URL, TOKEN") },
  ]);
});

test("compile() warns of what an isolate does not have, and what it would need", async () => {
  const { result } = await compiler.compile({
    "main.ts": `// Deno.open is fine here\nawait Deno.open("x");\nconsole.log("Deno.run");\n${HANDLER}`,
  });
  expect(result.ok).toBe(true);
  expect(result.diagnostics).toHaveLength(1);
  expect(result.diagnostics[0]).toMatchObject({
    id: "UNSUPPORTED_API",
    severity: "warning",
    line: 2,
    column: 7,
    fix: expect.stringContaining('placement = "region" has it'),
  });
});

test("compile() over the artifact's limit fails with BUNDLE_TOO_LARGE", async () => {
  const { result } = await compiler.compile({
    "ignite.toml": '[build]\nassets = ["big"]\n',
    "main.ts": HANDLER,
    "big/a.bin": new Uint8Array(65 * 1024 * 1024),
  });
  expect(result).toMatchObject({ ok: false, reason: "BUNDLE_TOO_LARGE" });
});

test("compile() reads no output that is too large to be looked at", async () => {
  const output = await mkdtemp(join(tmpdir(), "ignite-output-"));
  const process = memoryProcess(async () => {
    await writeFile(join(output, "main.js"), "");
    await truncate(join(output, "main.js"), 600_000_000);
    return { code: 0, stopped: undefined };
  });
  const folders = { source: output, output, cache: output, downloads: output };
  const { signal } = new AbortController();
  const bounds = { packageHosts: undefined, timeoutMs: 60_000, signal };
  const files = memoryFileSystem({ "main.ts": HANDLER });
  const sink = { log() {}, diagnostic() {}, progress() {} };
  const result = await compile({ files, process }, { folders, owner: "test", ...bounds }, sink);
  await rm(output, { recursive: true });
  expect(result).toMatchObject({ ok: false, reason: "BUNDLE_TOO_LARGE" });
});

test("compile() that takes too long fails with COMPILE_TIMED_OUT", async () => {
  const { result } = await compiler.compile({ "main.ts": HANDLER }, { timeoutMs: 1 });
  expect(result).toMatchObject({ ok: false, reason: "COMPILE_TIMED_OUT" });
});

test("compile() rejects with the signal's reason when it is cancelled", async () => {
  const signal = AbortSignal.abort(new Error("left"));
  await expect(compiler.compile({ "main.ts": HANDLER }, { signal })).rejects.toThrow("left");
});

test("compile() takes what the request overrides", async () => {
  const override = { main: "b.ts", build: { assets: ["only.txt"] } };
  const files = { "main.ts": HANDLER, "b.ts": `console.log("b");${HANDLER}`, "only.txt": "x" };
  const { result } = await compiler.compile(files, { override });
  expect(codeOf(result)).toContain('console.log("b")');
  expect(bundleOf(result).index.assets).toHaveLength(1);
});

test("compile() takes no glob of a request that is not one", async () => {
  const override = { build: { exclude: ["{a,b}".repeat(30)] } };
  const { result } = await compiler.compile({ "main.ts": HANDLER }, { override });
  expect(result).toMatchObject({ ok: false, reason: "MANIFEST_INVALID" });
  expect(result).toMatchObject({ message: expect.stringContaining("build.exclude must be") });
});

test("compile() takes modules of jsr that were vendored into the tree", async () => {
  const { result } = await compiler.compile({
    "main.ts": `import { join } from "@std/path";\nconsole.log(join("a", "b"));${HANDLER}`,
    "deno.json": '{"imports": {"@std/path": "./vendor/jsr.io/@std/path/1.0.8/mod.ts"}}',
    "vendor/jsr.io/@std/path/1.0.8/mod.ts": 'export const join = (...p: string[]) => p.join("/");',
  });
  expect(codeOf(result)).toContain('p.join("/")');
});
