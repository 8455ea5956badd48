/** What a compile says to whoever runs `ignite deploy`; nothing that it refuses gets traffic. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPlatform, type TestPlatform } from "../harness/platform.ts";
import { startRegistry, type TestRegistry } from "../harness/registry.ts";

let registry: TestRegistry;
let platform: TestPlatform;
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "ignite-compile-"));
  registry = await startRegistry();
  platform = await startPlatform({ env: { NPM_CONFIG_REGISTRY: registry.url } });
});

afterAll(async () => {
  await platform?.dispose();
  await registry?.close();
  await rm(root, { recursive: true });
});

type Files = Readonly<Record<string, string>>;

const HANDLER = 'export default { fetch: () => new Response("fine") };\n';
const USE = `import { greet } from "npm:greeter@1.0.0";\nconsole.log(greet);\n${HANDLER}`;

/** Deploys an app of that name from a folder with these files. */
async function deploy(app: string, files: Files, flags: readonly string[] = []) {
  const folder = join(root, app);
  await rm(folder, { recursive: true, force: true });
  for (const [path, text] of Object.entries({ "ignite.toml": "", ...files })) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), path === "ignite.toml" ? `app = "${app}"\n${text}` : text);
  }
  return platform.ignite(["deploy", ...flags], { cwd: folder });
}

async function deployJson(app: string, files: Files) {
  const { code, stdout } = await deploy(app, files, ["--json"]);
  return { code, answer: JSON.parse(stdout) as Record<string, unknown> };
}

async function statusOf(app: string): Promise<number> {
  const response = await fetch(`${platform.url}/@${platform.org}/${app}/`);
  await response.body?.cancel();
  return response.status;
}

const refused: readonly (readonly [name: string, files: Files, said: RegExp])[] = [
  [
    "type-error",
    {
      "ignite.toml": "[build]\ncheck = true\n",
      "main.ts": `${HANDLER}export const a: number = "x";\n`,
    },
    /^main\.ts:2:14: error: TS2322 .* \[TYPE\]\n {2}2 \| export const a: number = "x";\n {4}\| {14}\^/m,
  ],
  [
    "syntax-error",
    { "main.ts": 'import "./lib/a.ts";\n', "lib/a.ts": "const a = 1;\n\nexport defalt {\n" },
    /^lib\/a\.ts:3:8: error: Expected .* \[SYNTAX\]\n {2}3 \| export defalt \{\n {4}\| {8}\^{6}$/m,
  ],
  [
    "unresolved-import",
    { "main.ts": `\nimport "./nope.ts";\n${HANDLER}` },
    /^main\.ts:2:8: error: Module not found "\.\/nope\.ts"\. \[UNRESOLVED_IMPORT\]$/m,
  ],
  [
    "lock-mismatch",
    { "main.ts": USE, "deno.lock": JSON.stringify({ version: "5", specifiers: {}, npm: {} }) },
    /The lock file disagrees with the imports.* \[LOCK_OUTDATED\]\n.*deno install/,
  ],
];

test.each(refused)("ignite deploy says where and what: %s", async (app, files, said) => {
  const { code, stdout, stderr } = await deploy(app, files);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(said);
  expect(stderr).toMatch(/^ {2}why: COMPILE_FAILED$/m);
  expect(await statusOf(app)).toBe(404);
});

test("a type error is no error unless [build] check asks", async () => {
  const { code } = await deploy("unchecked", {
    "main.ts": `${HANDLER}export const a: number = "x";`,
  });
  expect(code).toBe(0);
  expect(await statusOf("unchecked")).toBe(200);
});

test("--json has the diagnostics of a compile that failed", async () => {
  const { code, answer } = await deployJson("broken", { "main.ts": "\nexport defalt {" });
  expect(code).toBe(1);
  const found = {
    code: "SYNTAX",
    file: "main.ts",
    line: 2,
    column: 8,
    lineText: "export defalt {",
  };
  expect(answer).toMatchObject({
    error: { code: "failed_precondition", reason: "COMPILE_FAILED", diagnostics: [found] },
  });
});

test("equal sources of two apps give one artifact, a change gives another", async () => {
  const files = { "main.ts": USE, "a/b.ts": "export {};\n" };
  const digestOf = async (app: string, more: Files = {}) => {
    const { answer } = await deployJson(app, { ...files, ...more });
    expect(answer).toMatchObject({ published: true });
    return answer["artifactDigest"];
  };
  const one = await digestOf("twin-one");
  expect(one).toMatch(/^[0-9a-f]{64}$/);
  expect(await digestOf("twin-two")).toBe(one);
  expect(await digestOf("twin-two", { "main.ts": `${USE}console.log();\n` })).not.toBe(one);
});

test("a warning names the place, and the placement that has what the edge has not", async () => {
  const source = `export const file = () => Deno.open("x");\n${HANDLER}`;
  const { code, stderr } = await deploy("warned", { "main.ts": source });
  expect(code).toBe(0);
  expect(stderr).toMatch(/^main\.ts:1:27: warning: Deno\.open is not available at the edge/m);
  expect(stderr).toContain('placement = "region"');
  expect(await statusOf("warned")).toBe(200);
  const { answer } = await deployJson("warned", { "main.ts": source });
  expect(answer).toMatchObject({ warnings: 1 });
});

test("an app over the limit of an artifact is refused, with what to do", async () => {
  const line = (at: number) => `${at} is a number, and this line is as long as it is.\n`;
  const megabyte = Array.from({ length: 22_000 }, (_, at) => line(at)).join("");
  const assets = Array.from({ length: 60 }, (_, at) => [`big/${at}.txt`, megabyte]);
  const { code, answer } = await deployJson("large", {
    "ignite.toml": '[build]\nassets = ["big"]\n',
    "main.ts": HANDLER,
    ...Object.fromEntries(assets),
  });
  expect(code).toBe(1);
  expect(answer).toMatchObject({
    error: { reason: "BUNDLE_TOO_LARGE", message: expect.stringMatching(/\d{8} .*67108864/) },
  });
  expect(await statusOf("large")).toBe(404);
});

test("a module that throws on load is refused, with its stack in the source", async () => {
  const fail =
    'interface Unused { a: 1 }\nexport function fail() {\n  throw new Error("at once");\n}\n';
  const files = {
    "main.ts": `import { fail } from "./lib/fail.ts";\nfail();\n${HANDLER}`,
    "lib/fail.ts": fail,
  };
  const { code, answer } = await deployJson("throwing", files);
  expect(code).toBe(1);
  expect(answer).toMatchObject({
    error: {
      reason: "LOAD_FAILED",
      message: expect.stringContaining("at once"),
      stack: expect.stringMatching(/lib\/fail\.ts:3:9[\s\S]*main\.ts:2:1/),
    },
  });
  expect(await statusOf("throwing")).toBe(404);
});
