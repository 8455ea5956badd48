/**
 * The only way out of a jail that fetches packages: an HTTP proxy on a unix socket. deno sends it
 * whole addresses, so it can see what is asked: GET and HEAD of package registries, nothing else.
 * Redirects go back to deno, whose next request is judged again.
 */
import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { EnvHttpProxyAgent, request as send } from "undici";
import { hostOf } from "./registries.ts";
import { decoded } from "./text.ts";

/** Options of a proxy. */
export interface PackageProxyOptions {
  socket: string;
  /** `host:port` that may be reached. */
  hosts: readonly string[];
  /** Of its host nothing is let through but what is below it, and archives of packages. */
  npmRegistry?: string | undefined;
  /** Hears each request. */
  onCall(host: string, allowed: boolean): void;
}

const CONNECTIONS_MAX = 64;
const TIMEOUT_MS = 30_000; // Until a registry answers, and between pieces of its answer
const HOP_HEADERS = new Set(["connection", "keep-alive", "transfer-encoding", "proxy-connection"]);

/** Starts it; dispose to end it and all its connections. */
export async function startPackageProxy(options: PackageProxyOptions): Promise<AsyncDisposable> {
  const agent = new EnvHttpProxyAgent({ headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
  const server = createServer((request, response) => {
    const target = allowedTarget(request, options);
    if (target === undefined) return void response.writeHead(403).end();
    forward(target, request, response, agent).catch(() => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.socket, resolve);
  });
  await chmod(options.socket, 0o666); // Its folder is closed; the jailed user is another one
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await agent.destroy();
      await rm(options.socket, { force: true });
    },
  };
}

function allowedTarget(request: IncomingMessage, options: PackageProxyOptions): URL | undefined {
  const target = URL.parse(request.url ?? "");
  if (target === null) return undefined;
  const host = hostOf(target);
  const reads = request.method === "GET" || request.method === "HEAD";
  const isWeb = target.protocol === "https:" || target.protocol === "http:";
  const allowed = reads && isWeb && options.hosts.includes(host) && isOfRegistry(target, options);
  options.onCall(host, allowed);
  return allowed ? target : undefined;
}

/** A registry may be one folder of a server that has others, for other people. */
function isOfRegistry(target: URL, { npmRegistry }: PackageProxyOptions): boolean {
  const registry = npmRegistry === undefined ? null : URL.parse(npmRegistry);
  if (registry === null || hostOf(registry) !== hostOf(target)) return true;
  const path = decoded(target.pathname);
  if (path.split("/").includes("..")) return false;
  return path.startsWith(registry.pathname.replace(/\/?$/, "/")) || path.endsWith(".tgz");
}

async function forward(
  target: URL,
  request: IncomingMessage,
  response: ServerResponse,
  dispatcher: EnvHttpProxyAgent,
): Promise<void> {
  const headers = Object.entries(request.headers).filter(
    ([name]) => !HOP_HEADERS.has(name) && name !== "host",
  );
  const method = request.method === "HEAD" ? "HEAD" : "GET";
  const answer = await send(target, { method, headers: Object.fromEntries(headers), dispatcher });
  const kept = Object.entries(answer.headers).filter(([name]) => !HOP_HEADERS.has(name));
  response.writeHead(answer.statusCode, Object.fromEntries(kept));
  await pipeline(answer.body, response);
}
