/** A project elsewhere installs the checkout with npm and uses the SDK with its own tools. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "./root.ts";
import { buildSdkPackage } from "./sdk-package.mjs";
import { temporaryFolder } from "./testing/run-cli.ts";

const PROGRAM = `
import { Ignite, IgniteApiError } from "ignite/sdk";
const ignite = new Ignite({ url: "http://localhost:8787", fetch: () => Promise.reject(new TypeError("offline")) });
const failed = await ignite.compute.listApps({ organization: "acme" }).catch((error) => error);
console.log(failed instanceof IgniteApiError && failed.reason);
`;
const TYPED = `
import { type Deployed, Ignite } from "ignite/sdk";
const ignite = new Ignite({ url: "http://localhost:8787" });
export const deployed: Promise<Deployed> = ignite.deploy("a/b", { runtime: "deno", files: {} });
export const names: Promise<string[]> = ignite.compute
  .listApps({ organization: "acme" })
  .then(({ apps }) => apps.map(({ fullName }) => fullName));
// @ts-expect-error: a number has no length
names.then(([name]) => name?.length.length);
`;

const root = packageRoot();
const installed = (...path: string[]) => join(root, "node_modules", ...path);
let project: Awaited<ReturnType<typeof temporaryFolder>>;

/** Runs a program in the project and answers what it printed. */
async function run(program: string, words: readonly string[]): Promise<string> {
  const env = { ...process.env, NO_COLOR: "1", DENO_DIR: join(project.path, ".deno") };
  const { stdout } = await promisify(execFile)(program, words, { cwd: project.path, env });
  return stdout.trim();
}

beforeAll(async () => {
  await buildSdkPackage(root);
  project = await temporaryFolder();
  await writeFile(join(project.path, "package.json"), '{ "type": "module" }');
  await writeFile(join(project.path, "main.js"), PROGRAM);
  await writeFile(join(project.path, "main.ts"), TYPED);
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", root]);
});

afterAll(() => project.remove());

test("every Node of the machine runs it", async () => {
  const programs = (await run("which", ["-a", "node"])).split("\n");
  for (const node of new Set([process.execPath, ...programs])) {
    expect(await run(node, ["main.js"]), node).toBe("CONTROL_UNAVAILABLE");
  }
});

test("Deno runs and checks it", async () => {
  const deno = installed("deno", "deno");
  expect(await run(deno, ["run", "--no-prompt", "main.js"])).toBe("CONTROL_UNAVAILABLE");
  await run(deno, ["check", "main.ts"]);
  const bare = 'import { Ignite } from "ignite/sdk"; new Ignite();';
  await writeFile(join(project.path, "bare.js"), bare);
  await expect(run(deno, ["run", "--no-prompt", "bare.js"])).rejects.toThrow("--allow-env");
});

test.each([
  ["nodenext", "--skipLibCheck", "false"],
  ["esnext", "--moduleResolution", "bundler"],
])("tsc checks a project that imports it, with --module %s", async (module, ...flags) => {
  const words = ["--noEmit", "--strict", "--target", "es2022", "--module", module, ...flags];
  await run(process.execPath, [installed("typescript", "bin", "tsc"), ...words, "main.ts"]);
});

test("buildSdkPackage() builds nothing while no source has changed", async () => {
  expect(await buildSdkPackage(root)).toBe(false);
});
