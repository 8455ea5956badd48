/**
 * What stands behind the edge: store, region, egress and control. `ignite up` puts an edge before
 * it; `ignite backend` leaves that to `wrangler dev`.
 */
import { join } from "node:path";
import type { Log } from "../../core/log.ts";
import { type Daemon, type DaemonOptions, startDaemon } from "./child.ts";
import { startControl } from "./control.ts";
import { type DataFolder, openDataFolder } from "./data-folder.ts";
import { type InternalAddress, postInternal } from "./internal.ts";
import { storeTokenOf } from "./secrets.ts";
import { startTasks } from "./tasks.ts";

/** How to start it. */
export interface BackendOptions {
  dataDir: string;
  /** The domain that apps have their hosts under, without port. */
  domain: string;
  /** The port at which callers reach the platform. */
  port: number;
  /** Whether anyone may read `/metrics`; only operators when absent. */
  openMetrics?: boolean;
  log: Log;
  onProgress: (what: string) => void;
}

/** All its processes, running. */
export interface Backend {
  data: DataFolder;
  storeToken: string;
  publicUrl: string;
  sockets: Sockets;
  egress: Daemon;
  /** Has control make the first organization and its key, once in the life of the folder. */
  bootstrap(): Promise<{ org: string; key: string | undefined }>;
  pids(): Record<string, number | undefined>;
  close(): Promise<void>;
}

/** Paths of the sockets that the parts meet at. */
export type Sockets = Record<"public" | "internal" | "store" | "region" | "edge" | "front", string>;

/** Starts everything. Fails with ALREADY_RUNNING, or what the failing part said. */
export async function startBackend(options: BackendOptions): Promise<Backend> {
  const data = await openDataFolder(options.dataDir);
  const stop: (() => Promise<unknown>)[] = [() => data.release()];
  const close = async () => {
    for (const step of stop.splice(0).reverse()) await step();
  };
  try {
    return { ...(await start(options, data, stop)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: BackendOptions,
  data: DataFolder,
  stop: (() => Promise<unknown>)[],
): Promise<Omit<Backend, "close">> {
  const { log, domain, onProgress } = options;
  const sockets = socketsIn(data.run);
  const storeToken = storeTokenOf(data.masterKey);
  const publicDomain = `${domain}:${options.port}`;
  const publicUrl = `http://${publicDomain}`;
  onProgress("store, region, egress and control");
  const starting = startControl({
    folder: data.run,
    sockets,
    storeToken,
    masterKey: data.masterKey,
    domain: publicDomain,
    publicUrl,
    openMetrics: options.openMetrics ?? false,
    log,
  }).then((started) => {
    stop.push(() => started.stop());
    return started;
  });
  const daemons = startDaemons({ data, domain, sockets, storeToken, log }, stop);
  const [{ store, region, egress }, control] = await settled([daemons, starting]);
  const internal = { socketPath: sockets.internal, masterKey: data.masterKey };
  const tasks = startTasks({ ...internal, log });
  stop.push(() => tasks.stop());
  return {
    data,
    storeToken,
    publicUrl,
    sockets,
    egress,
    bootstrap: () => bootstrap(internal),
    pids: () => ({
      store: store.pid(),
      region: region.pid(),
      egress: egress.pid(),
      control: control.pid(),
    }),
  };
}

/** Waits for all even when one fails, since what did start has to be stopped then. */
async function settled<Starts extends Promise<unknown>[] | []>(starts: Starts) {
  await Promise.allSettled(starts);
  return Promise.all(starts);
}

/** The sockets of a platform in its `run` folder. */
export function socketsIn(run: string): Sockets {
  const at = (name: string) => join(run, `${name}.sock`);
  return {
    public: at("control"),
    internal: at("control-internal"),
    store: at("store"),
    region: at("region"),
    edge: at("edge"),
    front: at("front"),
  };
}

async function startDaemons(
  options: {
    data: DataFolder;
    domain: string;
    sockets: Sockets;
    storeToken: string;
    log: Log;
  },
  stop: (() => Promise<unknown>)[],
): Promise<Record<"store" | "region" | "egress", Daemon>> {
  const { data, domain, sockets, storeToken, log } = options;
  const path = (name: string) => new URL(`../../${name}`, import.meta.url).pathname;
  const started: Daemon[] = [];
  stop.push(() => Promise.all(started.map((daemon) => daemon.stop())));
  const launch = async (daemon: Omit<DaemonOptions, "log">) => {
    const running = await startDaemon({ ...daemon, log });
    started.push(running);
    return running;
  };
  const [store, region, egress] = await settled([
    launch({
      name: "store",
      main: path("region/store/main.ts"),
      config: {
        socket: sockets.store,
        database: join(data.root, "state", "ignite.db"),
        blobs: join(data.root, "blobs"),
        migrations: path("control/db/migrations"),
        token: storeToken,
      },
    }),
    launch({
      name: "region",
      main: path("region/main.ts"),
      config: {
        socket: sockets.region,
        storeSocket: sockets.store,
        storeToken,
        planeKey: data.masterKey.toString("base64"),
        dataDir: join(data.root, "region"),
      },
    }),
    launch({
      name: "egress",
      main: path("runtime/host/egress/main.ts"),
      config: { domain, frontSocket: sockets.front },
    }),
  ]);
  return { store, region, egress };
}

async function bootstrap(internal: InternalAddress) {
  const path = "/internal/bootstrap";
  const made = await postInternal<{ org: string; key: string | null }>(internal, path, {});
  return { org: made.org, key: made.key ?? undefined };
}
