/** From an empty folder to a rolled back version, through the real process and a real socket. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type MemoryServer, startMemoryServer } from "./testing/memory-server.ts";
import { runCli, temporaryFolder } from "./testing/run-cli.ts";

let platform: MemoryServer;
let home: Awaited<ReturnType<typeof temporaryFolder>>;
const env = () => ({ IGNITE_API: platform.url, IGNITE_KEY: platform.key });
const ignite = (...words: string[]) => runCli(words, { cwd: home.path, env: env() });
const inApp = (...words: string[]) => runCli(words, { cwd: join(home.path, "hello"), env: env() });

beforeAll(async () => {
  platform = await startMemoryServer();
  home = await temporaryFolder();
});

afterAll(async () => {
  await platform.close();
  await home.remove();
});

test("ignite init makes an app that ignite deploy publishes", async () => {
  expect(await ignite("init", "hello")).toMatchObject({ exitCode: 0 });
  const deployed = await inApp("deploy", "--json", "-m", "first");
  expect(deployed).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(deployed.stdout)).toMatchObject({
    app: "acme/hello",
    version: 1,
    published: true,
    url: `${platform.url}/@acme/hello/`,
  });
  expect(deployed.stderr).toContain("Created acme/hello");
});

test("ignite deploy says when the platform has the source", async () => {
  const { stdout, stderr } = await inApp("deploy");
  expect(stderr).toContain("Nothing to upload");
  expect(stdout).toContain("Published acme/hello v2");
});

test("ignite versions reads all pages, newest first", async () => {
  await inApp("deploy", "--no-publish");
  const { stdout } = await inApp("versions", "--json");
  const versions = JSON.parse(stdout) as { number: number; status: string }[];
  expect(versions.map(({ number, status }) => [number, status])).toEqual([
    [3, "READY"],
    [2, "ACTIVE"],
    [1, "SUPERSEDED"],
  ]);
});

test("ignite rollback gives the traffic to the version before", async () => {
  const { stdout } = await ignite("rollback", "acme/hello", "--json");
  expect(JSON.parse(stdout)).toMatchObject({ app: "acme/hello", version: 1 });
});

test("ignite traffic splits, and refuses shares that are not 100 percent", async () => {
  expect((await ignite("traffic", "hello", "v1=90", "v2=10")).stdout).toBe(
    "acme/hello: v1 90%, v2 10%\n",
  );
  const refused = await ignite("traffic", "hello", "v1=90", "v2=20");
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain("add up to 110 percent");
});

test("ignite invoke streams the answer, and fails with the app's status", async () => {
  const answer = await ignite("invoke", "hello", "/a?b=1", "-d", "body");
  expect(answer.stdout).toBe("v1 POST /a?b=1 body\n");
  expect(answer.stderr).toContain("HTTP 200, request req_2");
  const json = await ignite("invoke", "acme/none", "--json");
  expect(json.exitCode).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ status: 404 });
});

test("ignite invoke takes a body from stdin", async () => {
  const words = ["invoke", "hello", "-X", "PUT", "-d", "@-"];
  const { stdout } = await runCli(words, { cwd: home.path, env: env(), stdin: "piped" });
  expect(stdout).toBe("v1 PUT / piped\n");
});

test("ignite deploy shows where the source does not compile", async () => {
  const main = join(home.path, "hello", "main.ts");
  const good = await readFile(main, "utf8");
  await writeFile(main, `const x = BROKEN;\n${good}`);
  const broken = await inApp("deploy");
  expect(broken.exitCode).toBe(1);
  expect(broken.stderr).toContain(
    [
      "main.ts:1:11: error: This does not parse. [SYNTAX]",
      "  1 | const x = BROKEN;",
      "    |           ^^^^^^",
      "  = write it otherwise",
      "",
      "error: main.ts has an error.",
      "  why: COMPILE_FAILED",
    ].join("\n"),
  );
  const json = JSON.parse((await inApp("deploy", "--json")).stdout);
  expect(json.error.diagnostics[0]).toMatchObject({ file: "main.ts", line: 1, column: 11 });
  await writeFile(main, good);
});

test("ignite deploy shows the stack of an app that throws while it is loaded", async () => {
  const main = join(home.path, "hello", "main.ts");
  const good = await readFile(main, "utf8");
  await writeFile(main, `THROWS;\n${good}`);
  const { exitCode, stderr } = await inApp("deploy");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("error: boom");
  expect(stderr).toContain("at main.ts:1:7");
  await writeFile(main, good);
});

test("ignite delete deletes, ignite restore brings back", async () => {
  expect((await ignite("delete", "hello")).stdout).toBe("Deleted acme/hello\n");
  expect((await ignite("restore", "hello")).stdout).toContain("acme/hello");
  expect((await ignite("delete", "hello", "--yes")).stdout).toBe("Deleted acme/hello\n");
  expect((await ignite("app", "hello")).stderr).toContain("There is no app acme/hello.");
});
