/** The regional daemon: its parts in the order in which they start, and their end in reverse. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { configuredRegistry, packageHostsOf } from "../compiler/deno/registries.ts";
import { prepareCompiler } from "../compiler/deno/toolchain.ts";
import { systemClock } from "../core/clock.ts";
import { compilesMax, compilesPerOrganizationMax } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import { channelKey } from "../core/plane-token.ts";
import { socketBlobStore } from "./blobs.ts";
import { watchedCompiler } from "./compiler-status.ts";
import { Compiles, type CompileTools } from "./compiles.ts";
import { startRegionServer } from "./connect/server.ts";
import { FairQueue } from "../core/fair-queue.ts";
import { CompileThreads } from "./threads/compile-threads.ts";

/** How the daemon is configured; comes as JSON. */
export interface RegionConfig {
  /** Where it listens. */
  socket: string;
  storeSocket: string;
  storeToken: string;
  /** The installation's master key, base64. */
  planeKey: string;
  /** Caches and work; a folder of its own. */
  dataDir: string;
  /** Compile without walls where none can be built. Never with strangers' source. */
  unsandboxed?: boolean;
  /** npm registry; the machine's own when absent. */
  npmRegistry?: string;
  /** A mirror of jsr.io. */
  jsrRegistry?: string;
  /** More `host[:port]` that packages may come from. */
  packageHosts?: string[];
}

/** A running daemon. */
export interface Region {
  close(): Promise<void>;
}

const WAITING_PER_ORGANIZATION_MAX = 32;

/** Starts it. The compiler gets ready meanwhile; a compile that comes earlier waits for it. */
export async function startRegion(config: RegionConfig, log: Log): Promise<Region> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const compiler = watchedCompiler(() => prepare(config, log));
  const tools = retried(() => compiler.prepare());
  const threads = new CompileThreads();
  tools().then(
    () => threads.warm(),
    (error: Error) => log.warn("no compiler yet", { reason: error.message }),
  );
  const blobs = socketBlobStore({ socket: config.storeSocket, token: config.storeToken });
  const queue = new FairQueue({
    runningMax: compilesMax,
    ownerMax: compilesPerOrganizationMax,
    waitingMax: WAITING_PER_ORGANIZATION_MAX,
    what: "compiles",
  });
  const compiles = new Compiles({ directory: config.dataDir, tools, blobs, queue, threads });
  await compiles.prepare();
  const master = new Uint8Array(Buffer.from(config.planeKey, "base64"));
  const planeKey = await channelKey(master, "region");
  const server = await startRegionServer({
    socket: config.socket,
    planeKey,
    compiles,
    compilerStatus: compiler.status,
    clock: systemClock,
    log,
  });
  return {
    async close() {
      await server.close();
      await compiles.close();
      await threads.close();
      await blobs.close();
    },
  };
}

async function prepare(config: RegionConfig, log: Log): Promise<CompileTools> {
  const { jsrRegistry } = config;
  const npmRegistry = config.npmRegistry ?? (await configuredRegistry());
  const toolchain = await prepareCompiler({
    directory: join(config.dataDir, "toolchain"),
    unsandboxed: config.unsandboxed === true,
    npmRegistry,
  });
  const { kind } = toolchain.sandbox;
  const fields = { deno: toolchain.denoVersion, sandbox: kind };
  if (toolchain.sandbox.kind === "jailed") log.info("the compiler is ready", fields);
  else log.warn("the compiler has no jail", { ...fields, why: toolchain.sandbox.why });
  const mirror = jsrRegistry === undefined ? [] : packageHostsOf(jsrRegistry);
  const packageHosts = packageHostsOf(npmRegistry, [...mirror, ...(config.packageHosts ?? [])]);
  return { toolchain, npmRegistry, jsrRegistry, packageHosts };
}

/** One result for all callers; a failure is forgotten, so that the next caller tries again. */
function retried<Out>(make: () => Promise<Out>): () => Promise<Out> {
  let current: Promise<Out> | undefined;
  return () => {
    current ??= make().catch((error: unknown) => {
      current = undefined;
      throw error;
    });
    return current;
  };
}
