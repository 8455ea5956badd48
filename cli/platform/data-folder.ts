/**
 * The data folder of an installation: its keys, its sockets, and the guarantee that one platform
 * at a time works in it.
 */
import { createHash, randomBytes } from "node:crypto";
import { chmod, open as openFile, readFile, rename, rm } from "node:fs/promises";
import { createConnection, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { IgniteError } from "../../core/errors.ts";
import { makeFolder } from "../make-folder.ts";

/** Where things are. All paths absolute. */
export interface DataFolder {
  root: string;
  /** Sockets; 0700. Elsewhere than in `root` when paths would be too long for a socket. */
  run: string;
  /** 32 bytes from which every plane key is derived. */
  masterKey: Buffer;
  /** Lets another platform use the folder. */
  release(): Promise<void>;
}

const SOCKET_PATH_BYTES_MAX = 100; // The kernel takes 107; ours go below `run` by at most 40
const SOCKET_NAME_BYTES = 40;
const MASTER_KEY_BYTES = 32;

/**
 * Opens the folder, making it when absent. Fails with ALREADY_RUNNING while another platform has
 * it (a crashed one does not count), with STORE_CORRUPT when the master key is damaged, with
 * STORE_FULL when there is no room, and with INVALID_ARGUMENT when it cannot be a folder of ours.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const root = resolve(path);
  try {
    return await open(root);
  } catch (error) {
    throw error instanceof IgniteError ? error : unusable(root, error as NodeJS.ErrnoException);
  }
}

async function open(root: string): Promise<DataFolder> {
  await makeFolder(join(root, "keys"), 0o700);
  const run = await makeRunFolder(root);
  const server = await claim(join(run, "up.sock"), root);
  try {
    const masterKey = await loadMasterKey(masterKeyOf(root));
    const release = () => new Promise<void>((done) => server.close(() => done()));
    return { root, run, masterKey, release };
  } catch (error) {
    server.close();
    throw error;
  }
}

function unusable(root: string, error: NodeJS.ErrnoException): IgniteError {
  const isFull = error.code === "ENOSPC" || error.code === "EDQUOT";
  return new IgniteError({
    code: isFull ? "resource_exhausted" : "invalid_argument",
    reason: isFull ? "STORE_FULL" : "INVALID_ARGUMENT",
    message: isFull
      ? `There is no room left for the data folder ${root}.`
      : `${root} cannot be the data folder: ${error.message}.`,
    hint: `${isFull ? "Make room" : "Mend that"}, or choose another folder with --data.`,
    cause: error,
  });
}

/** What opens the platform that runs in a folder. Fails with NOT_FOUND when none does. */
export async function findRunning(path: string): Promise<Pick<DataFolder, "run" | "masterKey">> {
  const root = resolve(path);
  const run = runFolderOf(root);
  const masterKey = await readFile(masterKeyOf(root)).catch(() => undefined);
  if (masterKey !== undefined && (await answers(join(run, "up.sock")))) return { run, masterKey };
  throw new IgniteError({
    code: "not_found",
    reason: "NOT_FOUND",
    message: `No Ignite runs with the data folder ${root}, or this user may not read it.`,
    hint: "Start it with `ignite up`, and name its folder with --data.",
  });
}

function masterKeyOf(root: string): string {
  return join(root, "keys", "master");
}

function runFolderOf(root: string): string {
  const run = join(root, "run");
  if (Buffer.byteLength(run) + SOCKET_NAME_BYTES <= SOCKET_PATH_BYTES_MAX) return run;
  const name = createHash("sha256").update(root).digest("hex").slice(0, 12);
  return join(tmpdir(), `ignite-${process.getuid?.() ?? 0}-${name}`);
}

async function makeRunFolder(root: string): Promise<string> {
  const run = runFolderOf(root);
  await makeFolder(run, 0o700);
  await chmod(run, 0o700);
  return run;
}

/** Holds a listening socket as the lock: the kernel drops it with the process, so none is stale. */
async function claim(path: string, root: string): Promise<Server> {
  if (await answers(path)) {
    throw new IgniteError({
      code: "failed_precondition",
      reason: "ALREADY_RUNNING",
      message: `Another Ignite already runs with the data folder ${root}.`,
      hint: "Stop it first, or choose another folder with --data.",
    });
  }
  await rm(path, { force: true });
  const server = createServer((socket) => socket.end());
  await new Promise<void>((done, fail) => server.once("error", fail).listen(path, done));
  server.unref();
  return server;
}

function answers(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(path);
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}

async function loadMasterKey(path: string): Promise<Buffer> {
  const found = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found !== undefined) {
    if (found.length === MASTER_KEY_BYTES) return found;
    throw new IgniteError({
      code: "data_loss",
      reason: "STORE_CORRUPT",
      message: `The master key ${path} has ${found.length} bytes instead of ${MASTER_KEY_BYTES}.`,
      hint: "Restore it from a backup; a new one cannot read what the old one sealed.",
    });
  }
  const key = randomBytes(MASTER_KEY_BYTES);
  const file = await openFile(`${path}.new`, "w", 0o600);
  await file.writeFile(key);
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
  return key;
}
