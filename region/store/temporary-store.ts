/** A store in a temporary folder, and a `fetch` that reaches its socket: for tests. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Agent } from "undici";
import { silentLog } from "../../core/log.ts";
import { type Store, type StoreOptions, startStore } from "./store.ts";

/** A store for one test. */
export interface TemporaryStore {
  options: StoreOptions;
  store: Store;
  /** Sends a request with the store's token; paths are relative to its root. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** What `createClient` of libSQL takes as its `fetch`. */
  clientFetch(request: Request): Promise<Response>;
  /** Closes it and removes the folder. */
  close(): Promise<void>;
}

/** The committed migrations. */
export const migrationsFolder = join(import.meta.dirname, "../../control/db/migrations");

/** Options for a store in a new folder. */
export async function temporaryOptions(more: Partial<StoreOptions> = {}): Promise<StoreOptions> {
  const { socket } = more;
  const root =
    socket === undefined ? await mkdtemp(join(tmpdir(), "ignite-store-")) : dirname(socket);
  return {
    socket: join(root, "store.sock"),
    database: join(root, "state.db"),
    blobs: join(root, "blobs"),
    migrations: migrationsFolder,
    token: "secret",
    log: silentLog,
    ...more,
  };
}

/** A `fetch` over a unix socket. */
export function socketFetch(socketPath: string) {
  const agent = new Agent({ connect: { socketPath } });
  const send = (request: Request): Promise<Response> =>
    fetch(request, { dispatcher: agent as unknown as NonNullable<RequestInit["dispatcher"]> });
  return { send, close: () => agent.destroy() };
}

/** Starts a store in a new folder. */
export async function startTemporaryStore(
  more: Partial<StoreOptions> = {},
): Promise<TemporaryStore> {
  const options = await temporaryOptions(more);
  const store = await startStore(options);
  const socket = socketFetch(options.socket);
  return {
    options,
    store,
    fetch(path, init) {
      const request = new Request(`http://store${path}`, { redirect: "manual", ...init });
      request.headers.set("authorization", `Bearer ${options.token}`);
      return socket.send(request);
    },
    clientFetch: socket.send,
    async close() {
      await socket.close();
      await store.close();
      await rm(join(options.socket, ".."), { recursive: true, force: true });
    },
  };
}
