import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { createClient } from "@libsql/client/web";
import { afterEach, expect, test } from "vitest";
import { type StoreOptions, startStore } from "./store.ts";
import { socketFetch, startTemporaryStore, temporaryOptions } from "./temporary-store.ts";

/**
 * The store as a process of its own, killed or with a system call that fails. Killing shows that
 * a crash of the process loses nothing; that a power cut does not either rests on fsync, which
 * the tests with failing calls show to be waited for.
 */
const main = join(import.meta.dirname, "main.ts");
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function spawnStore(options: StoreOptions, wrapper: readonly string[] = []) {
  const { log: _, ...config } = options;
  const command = [...wrapper, process.execPath, "--disable-warning=ExperimentalWarning", main];
  const child = spawn(command[0] ?? "", command.slice(1), { stdio: ["pipe", "pipe", "ignore"] });
  closing.push(() => child.kill("SIGKILL"));
  child.stdin.on("error", () => {}); // It ended first
  child.stdin.write(`${JSON.stringify(config)}\n`);
  const ready = once(createInterface({ input: child.stdout }), "line");
  const line = await Promise.race([ready, once(child, "exit").then(() => "{}")]);
  expect(JSON.parse(String(line))).toMatchObject({ ready: true });
  const socket = socketFetch(options.socket);
  closing.push(() => socket.close());
  const client = createClient({ url: "http://store", authToken: "secret", fetch: socket.send });
  return { child, client, send: socket.send, pid: JSON.parse(String(line)).pid as number };
}

async function optionsIn(folder?: string): Promise<StoreOptions> {
  const options = await temporaryOptions(
    folder === undefined
      ? {}
      : { database: join(folder, "state.db"), blobs: join(folder, "blobs") },
  );
  closing.push(() => rm(join(options.socket, ".."), { recursive: true, force: true }));
  return options;
}

const insert = (value: string) => ({
  sql: "INSERT INTO org_blobs VALUES (?, 'd', 1, 1)",
  args: [value],
});

function storedIn(options: StoreOptions): Set<unknown> {
  const database = new DatabaseSync(options.database);
  expect(database.prepare("PRAGMA integrity_check").get()?.["integrity_check"]).toBe("ok");
  const rows = database.prepare("SELECT org FROM org_blobs").all();
  database.close();
  return new Set(rows.map((row) => row["org"]));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

test("a store that is killed loses nothing it acknowledged", async () => {
  const options = await optionsIn();
  const { child, client } = await spawnStore(options);
  const acknowledged: string[] = [];
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let at = 0; ; at += 1) {
      await client.execute(insert(`${writer}-${at}`));
      acknowledged.push(`${writer}-${at}`);
      if (acknowledged.length === 200) child.kill("SIGKILL");
    }
  });
  await Promise.allSettled(writers);
  await ended(child);
  const stored = storedIn(options);
  expect(acknowledged.length).toBeGreaterThanOrEqual(200);
  expect(acknowledged.filter((value) => !stored.has(value))).toEqual([]);
  const again = await spawnStore(options); // Past the dead one's socket and write-ahead log
  await again.client.execute(insert("after"));
});

test("a store ends when its stdin does, and on SIGTERM, with status 0", async () => {
  const first = await spawnStore(await optionsIn());
  first.child.stdin?.end();
  await ended(first.child);
  expect(first.child.exitCode).toBe(0);
  const second = await spawnStore(await optionsIn());
  second.child.kill("SIGTERM");
  await ended(second.child);
  expect(second.child.exitCode).toBe(0);
});

const hasStrace = works(() => execFileSync("strace", ["-o", "/dev/null", "true"]));

test.for([
  ["fsync", "EIO", 4],
  ["fsync", "EIO", 21],
  ["pwrite64", "EIO", 20],
  ["pwrite64", "EIO", 21],
  ["pwrite64", "ENOSPC", 33],
] as const)(
  "when %s fails with %s from call %i on, nothing is acknowledged",
  async (fault, context) => {
    context.skip(!hasStrace, "strace is not installed or not allowed");
    const [call, error, from] = fault;
    const options = await optionsIn();
    await (await startStore(options)).close(); // So that all calls from now on are for our writes
    const inject = `inject=${call}:error=${error}:when=${from}+`;
    const strace = ["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", `trace=${call}`];
    const { child, client, pid } = await spawnStore(options, [...strace, "-e", inject]);
    const acknowledged: string[] = [];
    const refused: string[] = [];
    for (let at = 0; refused.length < 5 && at < 500; at += 1) {
      await client.execute(insert(`${at}`)).then(
        () => acknowledged.push(`${at}`),
        (failure: { code: string }) => refused.push(failure.code),
      );
    }
    expect(refused).toHaveLength(5);
    expect(refused.every((code) => /^SQLITE_(IOERR|FULL)$/.test(code))).toBe(true);
    process.kill(pid, "SIGKILL");
    await ended(child);
    const stored = storedIn(options);
    expect(acknowledged.filter((value) => !stored.has(value))).toEqual([]);
  },
);

const mountPoint = join("/tmp", `ignite-full-${process.pid}`);

test("a full disk is said to be full, and is written again later", async (context) => {
  context.skip(process.getuid?.() !== 0, "mounting needs root");
  await mkdir(mountPoint, { recursive: true });
  closing.push(() => rmdir(mountPoint));
  const mount = ["-t", "tmpfs", "-o", "size=8m", "tmpfs", mountPoint];
  context.skip(!works(() => execFileSync("mount", mount)), "mounting is not allowed here");
  closing.push(() => execFileSync("umount", ["--lazy", mountPoint]));
  const running = await startTemporaryStore(await optionsIn(mountPoint));
  closing.push(() => running.close());
  const blob = (megabytes: number) => Buffer.alloc(megabytes * 1024 * 1024, megabytes);
  const pathOf = (bytes: Buffer) => `/blobs/${createHash("sha256").update(bytes).digest("hex")}`;
  const put = (bytes: Buffer) => running.fetch(pathOf(bytes), { method: "PUT", body: bytes });

  expect((await put(blob(2))).status).toBe(201);
  const full = await put(blob(7));
  expect([full.status, ((await full.json()) as { reason: string }).reason]).toEqual([
    507,
    "STORE_FULL",
  ]);
  expect((await running.fetch(pathOf(blob(7)))).status).toBe(404);
  expect(await readdir(join(running.options.blobs, "tmp"))).toEqual([]);

  const client = createClient({
    url: "http://store",
    authToken: "secret",
    fetch: running.clientFetch,
  });
  const acknowledged: number[] = [];
  let failure: { code?: string } = {};
  for (let at = 0; failure.code === undefined && at < 200; at += 1) {
    const args = [`org${at}`, "x".repeat(100_000)];
    await client.execute({ sql: "INSERT INTO org_blobs VALUES (?, ?, 1, 1)", args }).then(
      () => acknowledged.push(at),
      (error: { code: string }) => {
        failure = error;
      },
    );
  }
  expect(failure.code).toMatch(/^SQLITE_(FULL|IOERR)$/);
  const { rows } = await client.execute("SELECT count(*) AS count FROM org_blobs");
  expect(rows[0]?.["count"]).toBe(acknowledged.length);

  await running.fetch(pathOf(blob(2)), { method: "DELETE" });
  await client.execute(insert("after"));
  expect((await running.fetch(pathOf(blob(2)))).status).toBe(404);
});

function works(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}
