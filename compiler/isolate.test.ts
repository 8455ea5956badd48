/** What the compiler writes must run where it is meant to: compiled apps in a real cell. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { appDocument, signedApp } from "../test/harness/documents.ts";
import { startTestCell, type TestCell, textOf } from "../test/harness/workerd.ts";
import { startTemporaryCompiler, type TemporaryCompiler } from "./temporary-compile.ts";

const WASM = Buffer.from(
  "0061736d010000000105016000017f03020100070501016100000a06010400412a0b",
  "hex",
);

let cell: TestCell;
let compiler: TemporaryCompiler;
let apps = 0;

beforeAll(async () => {
  [cell, compiler] = await Promise.all([startTestCell(), startTemporaryCompiler()]);
});
afterAll(async () => {
  await cell?.stop();
  await compiler?.close();
});

/** Compiles and deploys; answers how to call it. */
async function deploy(files: Record<string, string | Uint8Array>) {
  const { result, text } = await compiler.compile(files);
  if (!result.ok) throw new Error(`${result.message}\n${text}`);
  apps += 1;
  const app = `compiled-${apps}`;
  cell.artifacts.set(result.digest, [result.artifact]);
  await cell.push(await signedApp(appDocument(`acme/${app}`, result.digest)));
  return async (path = "/") => {
    const response = await cell.call(`${app}--acme.localhost`, path);
    return { status: response.statusCode, text: await textOf(response) };
  };
}

test("compiled Wasm runs, in Deno's form and as a module", async () => {
  const call = await deploy({
    "main.ts": [
      'import { a } from "./lib/a.wasm";',
      'import module from "./a.wasm";',
      "const other = new WebAssembly.Instance(module).exports.a as () => number;",
      "Deno.serve(() => Response.json([a(), other()]));",
    ].join("\n"),
    "a.wasm": WASM,
    "lib/a.wasm": WASM,
  });
  expect(await call()).toEqual({ status: 200, text: "[42,42]" });
});

test("compiled apps read text, bytes, JSON and static files", async () => {
  const call = await deploy({
    "main.ts": [
      'import text from "./t.txt" with { type: "text" };',
      'import bytes from "./t.txt" with { type: "bytes" };',
      'import json from "./j.json" with { type: "json" };',
      'import { own } from "./sub/own.ts";',
      "Deno.serve(async () => Response.json([text, bytes.length, json.a, await own()]));",
    ].join("\n"),
    "sub/own.ts":
      'export const own = () => Deno.readTextFile(new URL("./data.txt", import.meta.url));',
    "sub/data.txt": "beside the module",
    "t.txt": "text",
    "j.json": '{"a": 1}',
    "ignite.toml": '[build]\nassets = ["sub/*.txt"]\n',
  });
  expect(JSON.parse((await call()).text)).toEqual(["text", 4, 1, "beside the module"]);
});

test("compiled apps start by import.meta.main, import lazily and use Node's modules", async () => {
  const call = await deploy({
    "main.ts": [
      'import { join } from "node:path";',
      'const { lazy } = await import("./lazy.ts");',
      'if (import.meta.main) Deno.serve(() => new Response(join("a", "..", lazy)));',
    ].join("\n"),
    "lazy.ts": 'export const lazy = import.meta.main ? "wrong" : "right";',
  });
  expect(await call()).toEqual({ status: 200, text: "right" });
});

test("compiled CommonJS requires its own modules and those of Node", async () => {
  const call = await deploy({
    "main.ts": 'import made from "./made.cjs";\nDeno.serve(() => new Response(made()));',
    "made.cjs": [
      'const { join } = require("path");',
      'const { EventEmitter } = require("node:events");',
      'const part = require("./part.cjs");',
      "module.exports = () => join(part.name, typeof EventEmitter);",
    ].join("\n"),
    "part.cjs": 'exports.name = "part";',
  });
  expect(await call()).toEqual({ status: 200, text: "part/function" });
});

test("a compiled static site answers", async () => {
  const call = await deploy({
    "ignite.toml": '[build]\nassets = ["public/**"]\n',
    "public/index.html": "<h1>home</h1>",
    "public/404.html": "lost",
    "public/big.txt": "x".repeat(400_000),
  });
  expect(await call("/")).toEqual({ status: 200, text: "<h1>home</h1>" });
  expect(await call("/nothing")).toEqual({ status: 404, text: "lost" });
  expect((await call("/big.txt")).text).toHaveLength(400_000);
});

test("compiled JSX renders", async () => {
  const call = await deploy({
    "main.tsx": "export default { fetch: () => new Response(<p>hi</p>) };",
    "jsx/jsx-runtime.ts":
      "export const jsx = (tag: string, props: { children: string }) => `<${tag}>${props.children}</${tag}>`;",
    "deno.json": JSON.stringify({
      compilerOptions: { jsx: "react-jsx", jsxImportSource: "own" },
      imports: { "own/jsx-runtime": "./jsx/jsx-runtime.ts" },
    }),
  });
  expect(await call()).toEqual({ status: 200, text: "<p>hi</p>" });
});
