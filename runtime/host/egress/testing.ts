/** An egress with a cell's socket, and servers to call, for tests. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type Egress, type EgressOptions, startEgress } from "./egress.ts";

/** What a cell sends. */
export interface CellRequest {
  url: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** An answer as a cell got it. */
export interface CellAnswer {
  status: number;
  headers: IncomingMessage["headers"];
  body: string;
}

/** An egress and one cell. */
export interface TestEgress {
  egress: Egress;
  socketPath: string;
  frontSocket: string;
  /** Sends a request as the cell does and reads the whole answer. */
  call(request: CellRequest): Promise<CellAnswer>;
  /** The same without waiting for the body. */
  open(request: CellRequest): Promise<IncomingMessage>;
  stop(): Promise<void>;
}

/** Starts an egress for a cell, in a folder of its own. */
export async function testEgress(options: Partial<EgressOptions> = {}): Promise<TestEgress> {
  const folder = await mkdtemp(join(tmpdir(), "ignite-egress-"));
  const frontSocket = join(folder, "front.sock");
  const socketPath = join(folder, "egress.sock");
  const egress = startEgress({ domain: "apps.test", frontSocket, ...options });
  await egress.open("c1", socketPath);
  const open = (asked: CellRequest) => send(socketPath, asked);
  return {
    egress,
    socketPath,
    frontSocket,
    open,
    async call(asked) {
      const answer = await open(asked);
      const body = await text(answer);
      return { status: answer.statusCode ?? 0, headers: answer.headers, body };
    },
    async stop() {
      await egress.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function send(socketPath: string, asked: CellRequest): Promise<IncomingMessage> {
  const { url, method = "GET", headers = {}, body } = asked;
  const urlBytes = Buffer.from(url).toString("latin1");
  const own = { "ignite-egress-url": urlBytes, "ignite-app": "local/test", "ignite-hops": "0" };
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path: "/", headers: { ...own, ...headers } });
    outgoing.once("response", resolve).once("error", reject).end(body);
  });
}

/** A server to call, on a free port of 127.0.0.1 or on a unix socket. */
export interface TestServer {
  port: number;
  connections(): number;
  stop(): Promise<void>;
}

/** Starts a server that counts its connections. */
export async function testServer(
  listener: RequestListener,
  where: { host?: string; path?: string; port?: number } = { host: "127.0.0.1" },
): Promise<TestServer> {
  const server = createServer(listener);
  let connections = 0;
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen("path" in where ? where : { port: 0, ...where }, resolve);
  });
  const address = server.address() as AddressInfo | string;
  return {
    port: typeof address === "string" ? 0 : address.port,
    connections: () => connections,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
