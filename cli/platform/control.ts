/** The control Worker in a workerd of its own, started again when it ends. */
import { join } from "node:path";
import type { Log } from "../../core/log.ts";
import { bundleWorker } from "../../runtime/build.ts";
import type { WorkerdConfig } from "../../runtime/host/workerd-config.ts";
import { startWorkerd, type WorkerdProcess } from "../../runtime/host/workerd-process.ts";
import { relogLine } from "./child.ts";

/** What the control Worker is told, and where it reaches the other parts. */
export interface ControlOptions {
  /** A folder of its own for the configuration file. */
  folder: string;
  sockets: {
    public: string;
    internal: string;
    store: string;
    region: string;
    edge: string;
    front: string;
  };
  storeToken: string;
  masterKey: Buffer;
  /** Host and port at which callers reach the platform. */
  domain: string;
  publicUrl: string;
  /** Whether anyone may read `/metrics`. */
  openMetrics: boolean;
  log: Log;
}

/** The running control plane. */
export interface Control {
  pid(): number | undefined;
  restarts(): number;
  stop(): Promise<void>;
}

const RESTART_PAUSE_MS_MIN = 50;
const RESTART_PAUSE_MS_MAX = 5_000;
const COMPATIBILITY_DATE = "2026-08-01"; // The last before `nodejs_compat` became the default

/** Starts the control Worker and waits until it listens. */
export async function startControl(options: ControlOptions): Promise<Control> {
  const main = new URL("../../control/main.ts", import.meta.url).pathname;
  const config = configOf(options, await bundleWorker(main));
  let stopping = false;
  let restarts = 0;
  const log = options.log.with({ process: "control" });
  const start = () =>
    startWorkerd({
      name: "control",
      folder: join(options.folder, "control"),
      config,
      onLine: (line) => relogLine(log, line),
    });
  let running: WorkerdProcess | undefined = await start();
  const watch = async (started: WorkerdProcess): Promise<void> => {
    const { code, signal } = await started.exited;
    running = undefined;
    let pauseMs = RESTART_PAUSE_MS_MIN;
    while (!stopping) {
      log.error("a platform process ended", {
        code: code ?? undefined,
        signal: signal ?? undefined,
      });
      restarts += 1;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(pauseMs * 2, RESTART_PAUSE_MS_MAX);
      running = await start().catch(() => undefined);
      if (stopping) await running?.stop(); // It was asked for while there was none to stop
      if (running !== undefined) return watch(running);
    }
  };
  const watching = watch(running);
  return {
    pid: () => running?.pid,
    restarts: () => restarts,
    async stop() {
      stopping = true;
      await running?.stop();
      await watching;
    },
  };
}

function configOf(options: ControlOptions, code: string): WorkerdConfig {
  const { sockets, domain, publicUrl, openMetrics } = options;
  const external = (name: string, unixSocket: string) => ({ name, unixSocket });
  const fetcher = (name: string, service: string) => ({ name, service: { name: service } });
  return {
    services: [
      {
        name: "control",
        worker: {
          modules: [{ name: "control.js", type: "js", text: code }],
          compatibilityDate: COMPATIBILITY_DATE,
          bindings: [
            fetcher("STORE", "store"),
            fetcher("REGION", "region"),
            fetcher("EDGE", "edge"),
            fetcher("FRONT", "front"),
            { name: "CONFIG", json: { domain, publicUrl, openMetrics } },
            { name: "STORE_TOKEN", text: options.storeToken },
            { name: "PLANE_KEY", text: options.masterKey.toString("base64") },
          ],
        },
      },
      external("store", sockets.store),
      external("region", sockets.region),
      external("edge", sockets.edge),
      external("front", sockets.front),
    ],
    sockets: [
      { name: "public", unixSocket: sockets.public, service: { name: "control" } },
      {
        name: "internal",
        unixSocket: sockets.internal,
        service: { name: "control", entrypoint: "Internal" },
      },
    ],
  };
}
