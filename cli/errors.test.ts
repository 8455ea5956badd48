/** What is printed when something is wrong, as golden files, and the exit codes of each. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type MemoryServer, startMemoryServer } from "./testing/memory-server.ts";
import { runCli, temporaryFolder } from "./testing/run-cli.ts";

let platform: MemoryServer;
let home: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  platform = await startMemoryServer();
  home = await temporaryFolder();
});

afterAll(async () => {
  await platform.close();
  await home.remove();
});

interface Case {
  name: string;
  words: readonly string[];
  exitCode: 1 | 2;
  key?: string;
  api?: string;
  /** Files of the folder that it runs in. */
  files?: Readonly<Record<string, string>>;
}

const cases: readonly Case[] = [
  { name: "unknown-command", words: ["deplo"], exitCode: 2 },
  { name: "unknown-option", words: ["deploy", "--publsh"], exitCode: 2 },
  { name: "missing-argument", words: ["delete"], exitCode: 2 },
  { name: "missing-argument-of-verb", words: ["keys", "create"], exitCode: 2 },
  { name: "unknown-choice", words: ["init", "x", "--template", "cobol"], exitCode: 2 },
  { name: "unserved-template", words: ["init", "x", "--template", "rust"], exitCode: 1 },
  { name: "file-in-the-way", words: ["init", "x"], exitCode: 2, files: { x: "" } },
  { name: "files-in-the-way", words: ["init"], exitCode: 2, files: { "main.ts": "" } },
  { name: "no-place", words: ["init", "/proc/x"], exitCode: 2 },
  { name: "no-folder-for-dev", words: ["dev", "nowhere"], exitCode: 1 },
  { name: "no-such-port", words: ["up", "--port", "99999"], exitCode: 1 },
  { name: "no-such-host", words: ["up", "--host", "192.0.2.1"], exitCode: 1 },
  { name: "no-such-data", words: ["up", "--port", "0", "--data", "/proc/x/y"], exitCode: 1 },
  { name: "no-app-named", words: ["versions"], exitCode: 2 },
  { name: "not-a-version", words: ["rollback", "acme/x", "latest"], exitCode: 2 },
  { name: "not-a-number", words: ["logs", "acme/x", "--tail", "many"], exitCode: 2 },
  { name: "not-an-execution", words: ["logs", "acme/x", "--execution", "nope"], exitCode: 2 },
  { name: "two-starts", words: ["logs", "acme/x", "-n", "1", "--after", "0"], exitCode: 2 },
  { name: "no-such-context", words: ["apps", "--context", "moon"], exitCode: 2 },
  { name: "not-an-address", words: ["apps", "--api", "localhost"], exitCode: 2 },
  { name: "no-platform", words: ["apps"], exitCode: 1, api: "http://127.0.0.1:1" },
  { name: "wrong-key", words: ["app", "acme/x"], exitCode: 1, key: "igk_wrong" },
  { name: "no-such-app", words: ["app", "acme/none"], exitCode: 1 },
  { name: "not-in-release", words: ["builds"], exitCode: 1 },
  { name: "no-manifest", words: ["deploy"], exitCode: 1 },
  { name: "no-folder", words: ["deploy", "nowhere"], exitCode: 1 },
  {
    name: "manifest-syntax",
    words: ["deploy"],
    exitCode: 1,
    files: { "ignite.toml": 'app = "hello\nruntime = "deno"\n' },
  },
  {
    name: "manifest-fields",
    words: ["deploy"],
    exitCode: 1,
    files: { "ignite.toml": 'app = "hello"\nruntim = "deno"\n\n[limits]\nmemory_mb = "lots"\n' },
  },
  {
    name: "unserved-language",
    words: ["deploy"],
    exitCode: 1,
    files: { "ignite.toml": 'app = "hello"\nruntime = "rust"\n' },
  },
  {
    name: "schema-missing",
    words: ["deploy"],
    exitCode: 1,
    files: { "ignite.toml": 'app = "hello"\n[schema]\ninput = "none.json"\n' },
  },
];

for (const { name, words, exitCode, key, api, files = {} } of cases) {
  test(`${name} is told on stderr, with exit code ${exitCode}`, async () => {
    const cwd = join(home.path, name);
    await mkdir(cwd);
    for (const [file, text] of Object.entries(files)) await writeFile(join(cwd, file), text);
    const env = { IGNITE_API: api ?? platform.url, IGNITE_KEY: key ?? platform.key };
    const ended = await runCli(words, { cwd, env });
    expect(ended).toMatchObject({ exitCode, stdout: "" });
    const text = ended.stderr.replaceAll(cwd, "FOLDER").replaceAll(platform.url, "PLATFORM");
    await expect(text).toMatchFileSnapshot(`golden/errors/${name}.txt`);
    expect(await readdir(cwd)).toEqual(Object.keys(files)); // Nothing was made
    expect(platform.state.apps.size).toBe(0);
  });
}

test("--json prints an error as one document on stdout", async () => {
  const env = { IGNITE_API: platform.url, IGNITE_KEY: platform.key };
  const { stdout, exitCode } = await runCli(["app", "acme/none", "--json"], {
    cwd: home.path,
    env,
  });
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: "not_found", message: "There is no app acme/none." },
  });
});
