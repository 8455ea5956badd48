/** The edge's own interface, for control: takes documents and trials, over a socket with tokens. */
import { rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Clock } from "../../core/clock.ts";
import type { SignedDocument } from "../../core/deployment.ts";
import { httpStatusOf, IgniteError } from "../../core/errors.ts";
import { type ChannelKey, planeTokenHeader, verifyPlaneToken } from "../../core/plane-token.ts";
import type { TrialResult } from "./cells/cell-admin.ts";
import type { Trial } from "./cells/trial.ts";
import type { EdgeHealth } from "./metrics.ts";

/** What is served. */
export interface EdgeApi {
  apply(documents: readonly SignedDocument[]): Promise<{ applied: number; late: number }>;
  tryVersion(trial: Trial): Promise<TrialResult>;
  health(): EdgeHealth;
  metrics(): string;
}

/** A listening server. */
export interface EdgeServer {
  close(): Promise<void>;
}

/** How to serve. */
export interface EdgeServerOptions {
  socketPath: string;
  key: ChannelKey;
  clock: Clock;
  edge: EdgeApi;
}

const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** Starts listening at `socketPath`. */
export async function startEdgeServer(options: EdgeServerOptions): Promise<EdgeServer> {
  const server = createServer((request, response) => {
    answer(options, request)
      .then((body) => send(response, 200, body))
      .catch((caught: unknown) => {
        const { code, reason, message } = IgniteError.from(caught);
        send(response, httpStatusOf(code), { reason, message });
      });
  });
  await rm(options.socketPath, { force: true });
  await new Promise<void>((done, reject) =>
    server.once("error", reject).listen(options.socketPath, done),
  );
  return {
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function answer(options: EdgeServerOptions, request: IncomingMessage): Promise<unknown> {
  const { method = "GET", url = "/" } = request;
  const { key, clock, edge } = options;
  const token = request.headers[planeTokenHeader];
  const call = { aud: "edge" as const, method, path: url };
  const text = typeof token === "string" ? token : null;
  if (!(await verifyPlaneToken(key, text, call, clock.nowMs()))) throw unauthenticated();
  if (method === "POST" && url === "/v1/documents") {
    const { documents } = (await readJson(request)) as { documents: SignedDocument[] };
    return edge.apply(documents);
  }
  if (method === "POST" && url === "/v1/quarantine") {
    return edge.tryVersion((await readJson(request)) as Trial);
  }
  if (method === "GET" && url === "/v1/health") return edge.health();
  if (method === "GET" && url === "/v1/metrics") return { text: edge.metrics() };
  throw notFound();
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) throw invalid("the body is too large");
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw invalid("the body is not JSON");
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function unauthenticated(): IgniteError {
  return new IgniteError({
    code: "unauthenticated",
    reason: "CREDENTIAL_INVALID",
    message: "The plane token is missing, old, or for another call.",
  });
}

function invalid(message: string): IgniteError {
  return new IgniteError({ code: "invalid_argument", reason: "INVALID_ARGUMENT", message });
}

function notFound(): IgniteError {
  return new IgniteError({ code: "not_found", reason: "NOT_FOUND", message: "No such route." });
}
