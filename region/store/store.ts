/**
 * The store of one machine: a libSQL file served over Hrana, and blobs in a folder, behind one
 * unix socket and one bearer token. It opens nothing that is damaged or newer than itself.
 */
import { chmod, mkdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createConnection } from "node:net";
import { dirname } from "node:path";
import { IgniteError } from "../../core/errors.ts";
import { jsonLog, type Log } from "../../core/log.ts";
import { BlobFolder } from "./blobs/blob-folder.ts";
import { handleBlobs } from "./blobs/blob-routes.ts";
import { inspectDatabase } from "./database/inspect.ts";
import { checkApplied, migrate, readMigrations } from "./database/migrate.ts";
import { HranaServer } from "./hrana/server.ts";
import { bearerCheck, sendError } from "./http.ts";

/** Where the store keeps things, and who may ask. */
export interface StoreOptions {
  /** Path of the unix socket. */
  socket: string;
  /** The database file; made when absent. */
  database: string;
  /** The folder of blobs; made when absent. */
  blobs: string;
  /** The folder of migrations. */
  migrations: string;
  /** The bearer token of every caller. */
  token: string;
  log?: Log;
  /** Bounds, for tests; the defaults are below. */
  blobBytesMax?: number;
  streamIdleMs?: number;
  streamsMax?: number;
  busyTimeoutMs?: number;
}

/** A running store. */
export interface Store {
  /** Finishes what runs, rolls back what is open, and closes the files. */
  close(): Promise<void>;
}

const BLOB_BYTES_MAX = 1024 * 1024 * 1024; // Archives and artifacts have 64 MiB; images come later
const STREAM_IDLE_MS = 10_000; // As other Hrana servers
const STREAMS_MAX = 128; // Each has a connection
const BUSY_TIMEOUT_MS = 5_000;
const CLOSE_GRACE_MS = 2_000; // For requests that run when the store is closed

/**
 * Starts the store. Fails with STORE_CORRUPT or SCHEMA_NEWER, having changed nothing, and with
 * ALREADY_RUNNING when another store listens on the socket.
 */
export async function startStore(options: StoreOptions): Promise<Store> {
  const log = options.log ?? jsonLog((line) => process.stderr.write(`${line}\n`));
  await claimSocket(options.socket);
  await mkdir(dirname(options.database), { recursive: true, mode: 0o700 });
  const migrations = await readMigrations(options.migrations);
  checkApplied(await inspectDatabase(options.database), migrations);
  migrate(options.database, migrations, log);
  const blobs = await BlobFolder.open(options.blobs, options.blobBytesMax ?? BLOB_BYTES_MAX);
  const hrana = new HranaServer({
    path: options.database,
    log,
    idleMs: options.streamIdleMs ?? STREAM_IDLE_MS,
    streamsMax: options.streamsMax ?? STREAMS_MAX,
    busyTimeoutMs: options.busyTimeoutMs ?? BUSY_TIMEOUT_MS,
  });
  const allowed = bearerCheck(options.token);
  const server = createServer((request, response) => {
    void answer({ hrana, blobs, log, allowed }, request, response);
  });
  server.requestTimeout = 0; // A large blob may take as long as it keeps moving
  server.keepAliveTimeout = 0; // Closing an idle connection would race with its next request
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.socket, resolve);
  });
  await chmod(options.socket, 0o600);
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
      await closed;
      clearTimeout(timer);
      hrana.close();
    },
  };
}

interface Parts {
  hrana: HranaServer;
  blobs: BlobFolder;
  log: Log;
  allowed(request: IncomingMessage): boolean;
}

async function answer(parts: Parts, request: IncomingMessage, response: ServerResponse) {
  try {
    if (!parts.allowed(request)) throw unauthenticated();
    if (await parts.hrana.handle(request, response)) return;
    if (await handleBlobs(parts.blobs, request, response)) return;
    throw new IgniteError({
      code: "not_found",
      reason: "NOT_FOUND",
      message: "The store does not serve this.",
    });
  } catch (error) {
    if (response.destroyed || request.errored) return; // The caller has gone
    const failure = IgniteError.from(error);
    if (failure.reason === "INTERNAL") {
      parts.log.error("a request failed", { path: request.url, error: failure.internal });
    }
    sendError(response, failure);
  } finally {
    request.resume(); // What was not read is dropped, and the connection goes on
  }
}

/** Fails when another store answers on the socket; a dead one's socket is removed. */
async function claimSocket(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const answers = await new Promise<boolean>((resolve) => {
    const socket = createConnection(path);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
  if (answers) {
    throw new IgniteError({
      code: "failed_precondition",
      reason: "ALREADY_RUNNING",
      message: `Another store listens on ${path}.`,
      hint: "Stop the other Ignite that uses this data folder.",
    });
  }
  await rm(path, { force: true });
}

function unauthenticated(): IgniteError {
  return new IgniteError({
    code: "unauthenticated",
    reason: "CREDENTIAL_INVALID",
    message: "The store takes calls with its token only.",
  });
}
