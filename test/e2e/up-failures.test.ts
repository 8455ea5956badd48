/** `ignite up` where it cannot start: one clear message, exit 1, nothing left running. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPlatform, type TestPlatform, until } from "../harness/platform.ts";
import { processesNaming } from "../harness/processes.ts";

const CLI = fileURLToPath(new URL("../../cli/bin.mjs", import.meta.url));
const isRoot = process.getuid?.() === 0; // Who else may mount a small disk?

/** Holds the data of a platform that ran once and stopped as it should. */
let dataDir: string;

beforeAll(async () => {
  const platform = await startPlatform();
  ({ dataDir } = platform);
  await platform.stop();
});

afterAll(() => rm(dataDir, { recursive: true, force: true }));

const at = (path: string) => join(dataDir, "data", path);

/** Starts `ignite up` with a home of its own, by which its processes can be found. */
async function fail(data: string, args: readonly string[] = [], before: readonly string[] = []) {
  const home = await mkdtemp(join(tmpdir(), "ignite-home-"));
  const command = [...before, process.execPath, CLI, "up", "--json", "--data", data, ...args];
  const child = spawn(command[0] ?? "", command.slice(1), {
    env: { PATH: process.env["PATH"], HOME: home, XDG_CONFIG_HOME: home, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stderr, stdout, [code]] = await Promise.all([
    text(child.stderr),
    text(child.stdout),
    once(child, "close") as Promise<[number | null]>,
  ]);
  await until("all is gone", async () => (await processesNaming(home)).length === 0, 5_000);
  await rm(home, { recursive: true, force: true });
  expect(code, stderr).toBe(1);
  return JSON.parse(stdout) as { error: { reason: string; message: string; hint?: string } };
}

test("a port in use", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = String((server.address() as AddressInfo).port);
  const { error } = await fail(at("."), ["--port", port]);
  expect(error).toMatchObject({ reason: "PORT_IN_USE" });
  expect(error.message).toContain(port);
  expect(error.hint).toContain("--port");
  server.close();
});

test("a data folder in use, which its owner does not notice", async () => {
  const owner: TestPlatform = await startPlatform({ dataDir });
  try {
    const { error } = await fail(at("."), ["--port", "0"]);
    expect(error).toMatchObject({ reason: "ALREADY_RUNNING" });
    expect((await fetch(`${owner.url}/readyz`)).status).toBe(200);
  } finally {
    await owner.stop();
  }
});

test("a database that is no database, with not one byte of it changed", async () => {
  const path = at("state/ignite.db");
  const whole = await readFile(path);
  const file = await open(path, "r+");
  await file.write(Buffer.alloc(4_096, "damage"), 0, 4_096, 0);
  await file.close();
  const damaged = await readFile(path);
  const { error } = await fail(at("."), ["--port", "0"]);
  expect(error).toMatchObject({ reason: "STORE_CORRUPT" });
  expect(error.message).toMatch(/database cannot be used/);
  expect(await readFile(path)).toEqual(damaged);
  await writeFile(path, whole);
});

test("a database of a newer release", async () => {
  const database = new DatabaseSync(at("state/ignite.db"));
  database.exec("INSERT INTO ignite_migrations VALUES ('9999_from_the_future', 'x', 1)");
  database.close();
  const { error } = await fail(at("."), ["--port", "0"]);
  expect(error).toMatchObject({ reason: "SCHEMA_NEWER" });
  expect(error.message).toMatch(/newer Ignite.*9999_from_the_future/);
  const again = new DatabaseSync(at("state/ignite.db"));
  again.exec("DELETE FROM ignite_migrations WHERE name = '9999_from_the_future'");
  again.close();
});

test("a damaged master key", async () => {
  const whole = await readFile(at("keys/master"));
  await appendFile(at("keys/master"), "x");
  const { error } = await fail(at("."), ["--port", "0"]);
  expect(error).toMatchObject({ reason: "STORE_CORRUPT" });
  expect(error.message).toContain("keys/master");
  await writeFile(at("keys/master"), whole);
});

test("a data folder that cannot be one", async () => {
  const { error } = await fail(at("keys/master/below"), ["--port", "0"]);
  expect(error).toMatchObject({ reason: "INVALID_ARGUMENT" });
  expect(error.message).toContain("keys/master/below cannot be the data folder");
});

test.skipIf(!isRoot)("a full disk", async () => {
  const disk = await mkdtemp(join(tmpdir(), "ignite-disk-"));
  const script = `mount -t tmpfs -o size=64k tmpfs ${disk} &&
    head -c 1M /dev/zero > ${disk}/filler 2>/dev/null; exec "$@"`;
  const small = ["unshare", "--mount", "sh", "-c", script, "sh"];
  const { error } = await fail(join(disk, "data"), ["--port", "0"], small);
  expect(error).toMatchObject({ reason: "STORE_FULL" });
  expect(error.message).toContain(disk);
  await rm(disk, { recursive: true });
});

test("a crash leaves nothing that keeps the next start away", async () => {
  const crashed = await startPlatform({ dataDir });
  process.kill(crashed.pid, "SIGKILL");
  const ours = async () => (await processesNaming(dataDir)).length;
  await until("what it started is gone", async () => (await ours()) === 0);
  const next = await startPlatform({ dataDir });
  expect((await fetch(`${next.url}/readyz`)).status).toBe(200);
  expect(await next.stop()).toEqual({ code: 0 });
  expect(await ours()).toBe(0);
});
