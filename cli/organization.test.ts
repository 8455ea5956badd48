/** Keys, secrets and contexts, through the real process. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type MemoryServer, startMemoryServer } from "./testing/memory-server.ts";
import { type Ended, runCli, temporaryFolder } from "./testing/run-cli.ts";

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

/** Runs without a key of its own: it comes from the contexts file. */
function ignite(words: string, stdin = "", env: Record<string, string> = {}): Promise<Ended> {
  return runCli(words.split(" "), { cwd: home.path, stdin, env });
}

test("ignite context add keeps the key in a file for its owner only, and uses it", async () => {
  const added = await ignite(`context add local ${platform.url}`, `${platform.key}\n`);
  expect(added).toMatchObject({ exitCode: 0, stdout: "Added local, of the organization acme\n" });
  const path = join(home.path, ".config", "ignite", "contexts.json");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await ignite("whoami")).stdout).toContain("Organization  acme");
  expect(JSON.parse(await readFile(path, "utf8")).contexts.local.org).toBe("acme");
});

test("ignite context list shows no whole key", async () => {
  const { stdout } = await ignite("context list");
  expect(stdout).toMatch(/\* local +http:\/\/127\.0\.0\.1:\d+ +acme +igk_test…/);
});

test("a stored key is sent to no other platform than its own", async () => {
  const other = await startMemoryServer();
  const { exitCode, stderr } = await ignite(`whoami --api ${other.url}`);
  await other.close();
  expect(exitCode).toBe(1);
  expect(stderr).toContain("The API key is missing or wrong.");
});

test("XDG_CONFIG_HOME moves the contexts", async () => {
  const env = { XDG_CONFIG_HOME: join(home.path, "elsewhere") };
  await ignite("context add work https://ignite.example --use", "igk_work", env);
  const text = await readFile(join(home.path, "elsewhere", "ignite", "contexts.json"), "utf8");
  expect(JSON.parse(text)).toEqual({
    current: "work",
    contexts: { work: { api: "https://ignite.example", key: "igk_work" } },
  });
});

test("ignite context add refuses a key that the platform does not know", async () => {
  const added = await ignite(`context add wrong ${platform.url}`, "igk_wrong");
  expect(added).toMatchObject({ exitCode: 1, stdout: "" });
  expect((await ignite("context list")).stdout).not.toContain("wrong");
});

test("ignite orgs list shows an owner their own organization", async () => {
  const { exitCode, stdout } = await ignite("orgs list");
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^ORGANIZATION.*\nacme/);
});

test("ignite keys create says when it limits a key to an app that is not there", async () => {
  platform.state.add("acme/hello");
  const made = await ignite("keys create ci --app hello --app nope");
  expect(made.stdout).toBe("igk_new\n");
  expect(made.stderr).toContain("There is no app nope yet");
  expect(made.stderr).not.toContain("app hello");
});

test("ignite context use and remove refuse a name that is not there", async () => {
  expect((await ignite("context use moon")).exitCode).toBe(2);
  expect((await ignite("context remove moon")).exitCode).toBe(2);
});

test("ignite secrets put takes the value from stdin without its last line break", async () => {
  const { stdout } = await ignite("secrets put prod/stripe", "sk_live\n");
  expect(stdout).toBe("Put prod/stripe, version 1\n");
  await ignite("secrets put prod/stripe --object", '{"id":"a","key":"b"}');
  expect(platform.state.secrets.get("prod/stripe")).toEqual([
    '{"value":"sk_live"}',
    '{"id":"a","key":"b"}',
  ]);
});

test("ignite secrets put has no way to take a value from the command line", async () => {
  expect((await ignite("secrets put stripe sk_live")).exitCode).toBe(2);
});

test("ignite secrets list and versions show no values", async () => {
  const list = await ignite("secrets list --json");
  expect(JSON.parse(list.stdout)).toMatchObject([{ name: "prod/stripe", currentVersion: 2 }]);
  expect(list.stdout).not.toContain("sk_live");
  const versions = await ignite("secrets versions prod/stripe");
  expect(versions.stdout).toContain("v2");
});

test("ignite keys create prints the key alone on stdout", async () => {
  const { stdout, stderr } = await ignite("keys create ci --role invoker --expires 30d");
  expect(stdout).toBe("igk_new\n");
  expect(stderr).toContain("it is shown only now");
  expect((await ignite("keys list")).stdout).toMatch(/key_1 +first +owner/);
  expect((await ignite("keys revoke key_1")).stdout).toBe("Revoked key_1 (first)\n");
});

test("a part of the API that is not there is told as such", async () => {
  const { exitCode, stderr } = await ignite("build bld_1");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("This release of the platform does not have it.");
});
