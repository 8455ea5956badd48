/**
 * The way out of all cells: one process makes every connection that guests ask for. A cell reaches
 * it over a unix socket of its own; README.md describes what travels there.
 */
import { chmod, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { addressPolicy } from "./addresses.ts";
import { type CallerCounters, type CallerLimits, Callers, callerLimitsDefault } from "./callers.ts";
import type { ExchangeContext, Front } from "./exchange.ts";
import { forward } from "./forward.ts";
import { type Resolve, systemResolve } from "./resolver.ts";
import { forwardUpgrade } from "./upgrade.ts";

/** How outgoing connections are made. */
export interface EgressOptions {
  /** Hosts of the platform end in it; they are reached through `frontSocket`. Both or neither. */
  domain?: string | undefined;
  frontSocket?: string | undefined;
  /** Private endpoints open to guests: `10.0.0.5:8080`, `10.1.0.0/16:443`, `[fd00::1]:*`. */
  allow?: readonly string[] | undefined;
  portsDenied?: readonly number[] | undefined;
  limits?: Partial<CallerLimits> | undefined;
  idleTimeoutMs?: number | undefined;
  connectTimeoutMs?: number | undefined;
  responseBytesMax?: number | undefined;
  /** Certificates to trust instead of the usual ones, as PEM. */
  ca?: string | undefined;
  /** Names to addresses; the system's resolver when absent. */
  resolve?: Resolve | undefined;
  /** This machine's addresses; read from its interfaces when absent. */
  ownAddresses?: (() => readonly string[]) | undefined;
}

/** A running egress. */
export interface Egress {
  /** Listens for a cell at `socketPath`. Doing it again moves the socket. */
  open(cell: string, socketPath: string): Promise<void>;
  /** Stops listening for a cell and cuts its connections. */
  close(cell: string): Promise<void>;
  /** What apps have done, by `org/app`. */
  counters(): Record<string, CallerCounters>;
  /** Closes everything. */
  stop(): Promise<void>;
}

const IDLE_TIMEOUT_MS = 300_000; // Long polls and models that think are below it
const CONNECT_TIMEOUT_MS = 10_000; // A packet lost twice
const HEADER_BYTES_MAX = 64 * 1024; // With the URL, which comes twice
const SWEEP_MS = 30_000;

/** Starts an egress that listens for nobody yet. */
export function startEgress(options: EgressOptions): Egress {
  const callers = new Callers({ ...callerLimitsDefault, ...options.limits }, { ca: options.ca });
  const context: ExchangeContext = {
    front: frontOf(options),
    policy: addressPolicy(options),
    resolve: options.resolve ?? systemResolve(),
    callers,
    idleTimeoutMs: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    responseBytesMax: options.responseBytesMax,
  };
  const cells = new Map<string, CellServer>();
  const sweeper = setInterval(() => callers.sweep(), SWEEP_MS);
  sweeper.unref();
  const close = async (cell: string) => {
    const server = cells.get(cell);
    cells.delete(cell);
    await server?.close();
  };
  return {
    async open(cell, socketPath) {
      await close(cell);
      const server = new CellServer(context);
      cells.set(cell, server);
      await server.listen(socketPath);
    },
    close,
    counters: () => callers.counters(),
    async stop() {
      clearInterval(sweeper);
      await Promise.all([...cells.keys()].map(close));
      callers.close();
    },
  };
}

function frontOf({ domain, frontSocket }: EgressOptions): Front | undefined {
  if (domain === undefined || frontSocket === undefined) return undefined;
  return { domain, socketPath: frontSocket };
}

class CellServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(context: ExchangeContext) {
    this.#server = createServer({ maxHeaderSize: HEADER_BYTES_MAX, requireHostHeader: false });
    this.#server.requestTimeout = 0; // Uploads may take long; silence is bounded elsewhere
    this.#server.keepAliveTimeout = 0;
    this.#server.on("request", (request, response) => void forward(context, request, response));
    this.#server.on("upgrade", (request, socket, head) => {
      void forwardUpgrade(context, request, socket, head);
    });
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  async listen(socketPath: string): Promise<void> {
    await rm(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(socketPath, resolve);
    });
    await chmod(socketPath, 0o666); // The cell's folder lets in nobody but the cell
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
