/**
 * The whole platform on one machine: the backend, the edge before it, and native gRPC. Started in
 * the order of their needs (as much at once as possible) and stopped in the opposite one.
 */
import { Client } from "undici";
import type { Log } from "../../core/log.ts";
import { bundleCellWorker } from "../../runtime/build.ts";
import { type Edge, startEdge } from "../../runtime/host/edge.ts";
import { isLoopback } from "../loopback.ts";
import { startBackend } from "./backend.ts";
import { egressPort } from "./egress-port.ts";
import type { GrpcFront } from "./grpc.ts";
import { freePort } from "./port.ts";

/** What `ignite up` can be asked for. */
export interface PlatformOptions {
  dataDir: string;
  /** 0 picks a free one. */
  port: number;
  /** Address that the public port listens on. */
  host: string;
  /** Port for native gRPC; 0 picks a free one. */
  grpcPort: number;
  /** Blank cells kept ready. */
  spareCells?: number | undefined;
  /** Whether anyone may read `/metrics`; when absent, where only this machine can. */
  openMetrics?: boolean | undefined;
  log: Log;
  /** Told what is being started. */
  onProgress?: (what: string) => void;
}

/** A platform of which every part answers. */
export interface Platform {
  url: string;
  grpcUrl: string;
  org: string;
  /** Set when this start made the first key. */
  key: string | undefined;
  edge: Edge;
  /** Process ids of the parts behind the edge, by name. */
  pids(): Record<string, number | undefined>;
  /** Finishes running requests, then stops all parts. */
  close(): Promise<void>;
}

const DOMAIN = "localhost"; // Browsers and curl take *.localhost for this machine

/** Starts everything. Fails with PORT_IN_USE, ALREADY_RUNNING, or what the failing part said. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const stop: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const step of stop.splice(0).reverse()) await step();
  };
  try {
    return { ...(await start(options, stop)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: PlatformOptions,
  stop: (() => Promise<unknown>)[],
): Promise<Omit<Platform, "close">> {
  const { log, host, dataDir, spareCells, openMetrics = isLoopback(host) } = options;
  const onProgress = options.onProgress ?? (() => {});
  const port = await freePort(host, options.port);
  const bundling = bundleCellWorker();
  bundling.catch(() => {}); // Awaited below, unless the backend fails first
  const ofBackend = { dataDir, domain: DOMAIN, port, openMetrics, log, onProgress };
  const backend = await startBackend(ofBackend);
  stop.push(() => backend.close());
  const { data, sockets } = backend;
  onProgress("edge");
  const edge = await startEdge({
    data: data.root,
    run: data.run,
    masterKey: new Uint8Array(data.masterKey),
    cellWorker: await bundling,
    listen: { host, port },
    domain: DOMAIN,
    control: { publicSocket: sockets.public, internalSocket: sockets.internal },
    egress: egressPort(backend.egress),
    ...(spareCells === undefined ? {} : { spares: spareCells }),
    log,
  });
  stop.push(() => edge.close());
  const [{ org, key }, grpc] = await Promise.all([
    backend.bootstrap(),
    startGrpc(options, sockets.public),
  ]);
  stop.push(() => grpc.close());
  const grpcUrl = `http://${host}:${grpc.port}`;
  return { url: backend.publicUrl, grpcUrl, org, key, edge, pids: backend.pids };
}

/** Loaded when everything else answers: gRPC is what few need at once. */
async function startGrpc(options: PlatformOptions, socketPath: string): Promise<GrpcFront> {
  const [{ startGrpcFront }, { serviceFiles }] = await Promise.all([
    import("./grpc.ts"),
    import("./service-files.ts"),
  ]);
  const control = new Client("http://control", { socketPath });
  const front = await startGrpcFront({
    files: serviceFiles,
    control,
    address: `${options.host}:${options.grpcPort}`,
  });
  return {
    port: front.port,
    async close() {
      await front.close();
      await control.close();
    },
  };
}
