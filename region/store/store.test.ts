import { cp, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client/web";
import { afterEach, expect, test } from "vitest";
import { startStore } from "./store.ts";
import {
  migrationsFolder,
  socketFetch,
  startTemporaryStore,
  type TemporaryStore,
  temporaryOptions,
} from "./temporary-store.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function started(...more: Parameters<typeof startTemporaryStore>): Promise<TemporaryStore> {
  const running = await startTemporaryStore(...more);
  closing.push(() => running.close());
  return running;
}

const clientOf = (running: TemporaryStore) =>
  createClient({ url: "http://store", authToken: "secret", fetch: running.clientFetch });

/** A database file with rows, closed. */
async function closedDatabase() {
  const options = await temporaryOptions();
  const store = await startStore(options);
  const socket = socketFetch(options.socket);
  const client = createClient({ url: "http://store", authToken: "secret", fetch: socket.send });
  await client.batch(
    Array.from({ length: 300 }, (_, at) => ({
      sql: "INSERT INTO org_blobs VALUES (?, ?, 1, 1)",
      args: [`org${at}`, "x".repeat(200)],
    })),
  );
  await socket.close();
  await store.close();
  closing.push(() => rm(join(options.socket, ".."), { recursive: true }));
  return options;
}

test("startStore() migrates an empty folder and keeps what is there the next time", async () => {
  const options = await closedDatabase();
  const running = await started(options);
  const { rows } = await clientOf(running).execute("SELECT count(*) AS count FROM org_blobs");
  expect(rows[0]?.["count"]).toBe(300);
});

test("startStore() refuses a wrong token", async () => {
  const running = await started();
  for (const authorization of ["Bearer wrong", "Basic secret", "secret", ""]) {
    const headers = { authorization };
    const response = await running.clientFetch(new Request("http://store/v2", { headers }));
    expect([authorization, response.status]).toEqual([authorization, 401]);
  }
});

test("startStore() refuses a file that is not a database, and leaves it as it is", async () => {
  const options = await temporaryOptions();
  closing.push(() => rm(join(options.socket, ".."), { recursive: true }));
  await writeFile(options.database, "this was a database once");
  await expect(startStore(options)).rejects.toMatchObject({ reason: "STORE_CORRUPT" });
  expect(await readFile(options.database, "utf8")).toBe("this was a database once");
});

test("startStore() refuses a damaged database, and leaves it as it is", async () => {
  const options = await closedDatabase();
  const file = await open(options.database, "r+");
  const { size } = await file.stat();
  await file.write(Buffer.alloc(8_192, 0xff), 0, 8_192, Math.floor(size / 2));
  await file.close();
  const before = await readFile(options.database);
  await expect(startStore(options)).rejects.toMatchObject({ reason: "STORE_CORRUPT" });
  expect((await readFile(options.database)).equals(before)).toBe(true);
});

test("startStore() refuses a database of a newer release, and leaves it as it is", async () => {
  const migrations = await mkdtemp(join(tmpdir(), "ignite-newer-"));
  closing.push(() => rm(migrations, { recursive: true }));
  await cp(migrationsFolder, migrations, { recursive: true });
  await writeFile(join(migrations, "0099_the_future.sql"), "CREATE TABLE future (id INTEGER)");
  const options = await temporaryOptions({ migrations });
  closing.push(() => rm(join(options.socket, ".."), { recursive: true }));
  await (await startStore(options)).close();
  const before = await readFile(options.database);
  const older = startStore({ ...options, migrations: migrationsFolder });
  await expect(older).rejects.toMatchObject({
    reason: "SCHEMA_NEWER",
    message: expect.stringContaining("0099_the_future"),
  });
  expect((await readFile(options.database)).equals(before)).toBe(true);
  await writeFile(join(migrations, "0099_the_future.sql"), "CREATE TABLE past (id INTEGER)");
  await expect(startStore(options)).rejects.toMatchObject({ reason: "STORE_CORRUPT" });
});

test("startStore() undoes a migration that fails", async () => {
  const migrations = await mkdtemp(join(tmpdir(), "ignite-failing-"));
  closing.push(() => rm(migrations, { recursive: true }));
  const step = "CREATE TABLE one (id INTEGER);\n--> statement-breakpoint\nCREATE TABLE one (x)";
  await writeFile(join(migrations, "0000_failing.sql"), step);
  const options = await temporaryOptions({ migrations });
  closing.push(() => rm(join(options.socket, ".."), { recursive: true }));
  await expect(startStore(options)).rejects.toThrow(/already exists/);
  await writeFile(join(migrations, "0000_failing.sql"), "CREATE TABLE one (id INTEGER)");
  await (await startStore(options)).close();
});

test("startStore() refuses a second store, and removes a dead one's socket", async () => {
  const running = await started();
  const second = startStore(running.options);
  await expect(second).rejects.toMatchObject({ reason: "ALREADY_RUNNING" });
  const options = await temporaryOptions();
  closing.push(() => rm(join(options.socket, ".."), { recursive: true }));
  await writeFile(options.socket, "");
  await (await startStore(options)).close();
});

test("a listener that does not answer HTTP still counts as running", async () => {
  const options = await temporaryOptions();
  closing.push(() => rm(join(options.socket, ".."), { recursive: true }));
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(options.socket, resolve));
  await expect(startStore(options)).rejects.toMatchObject({ reason: "ALREADY_RUNNING" });
  await new Promise((resolve) => other.close(resolve));
});
