/** Judged by input that costs hours unless each character is looked at a few times only. */
import { expect, test } from "vitest";
import { memoryFileSystem } from "../ports.ts";
import { liftWasm } from "./wasm.ts";

const HUGE = 2_000_000;
const BYTES = Buffer.from("0061736d01000000", "hex");
const inlined = (variable: string) =>
  `${variable} = Uint8Array.from(atob("${BYTES.toString("base64")}"), (c) => c.charCodeAt(0))`;

const lift = (text: string) =>
  liftWasm([{ path: "main.ts", text }], memoryFileSystem({ "a.wasm": BYTES }));

test("liftWasm() makes modules of inlined bytes, wherever they are instantiated", async () => {
  const text = `const ${inlined("$a1")}; run(new WebAssembly.Module($a1), new WebAssembly.Module(b));`;
  const { code, modules } = await lift(text);
  const [name] = modules.map((module) => module.name);
  expect(code).toContain("const $a1 = __ignite_wasm_0; run($a1, new WebAssembly.Module(b));");
  expect(code).toContain(`import __ignite_wasm_0 from "./${name}";`);
});

test.each([
  ["a word without end", "a".repeat(HUGE)],
  ["spaces without end", `a${" ".repeat(HUGE)}`],
  ["bytes without end", `a = Uint8Array.from(atob("AGFzb${"A".repeat(HUGE)}`],
  ["an import line without end", `import ${' from "./a'.repeat(HUGE / 10)}`],
])("liftWasm() reads %s once", async (_, text) => {
  expect(await lift(text)).toEqual({ code: text, modules: [] });
});

test("liftWasm() passes once over many modules", async () => {
  const count = 50_000;
  const variables = Array.from({ length: count }, (_, at) => `v${at}`);
  const uses = variables.map((name) => `var ${inlined(name)}; f(new WebAssembly.Module(${name}));`);
  const { code, modules } = await lift(uses.join("\n"));
  expect(modules).toHaveLength(1);
  expect(code).toContain(`f(v${count - 1});`);
  const imports = Array.from({ length: count }, (_, at) => `import m${at} from "./a.wasm";`);
  const linked = await lift(imports.join("\n"));
  expect(linked.code.split("\n").at(-1)).toBe(`import m${count - 1} from "./${modules[0]?.name}";`);
});
