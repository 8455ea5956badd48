/**
 * What one cell may ask of the edge host: documents and artifacts of the organizations it serves,
 * nothing of others. A cell that serves nobody gets nothing.
 */
import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { IgniteError } from "../../../core/errors.ts";
import { type Digest, isDigest } from "../../../core/ids.ts";
import type { ArtifactCache } from "../documents/artifacts.ts";
import type { Documents, KnownApp } from "../documents/documents.ts";

const AT_ONCE_BYTES_MAX = 1024 * 1024; // Larger ones are streamed, to take no memory here

/** What a cell is allowed to see. */
export interface CellScope {
  /** Whether the cell serves this app. */
  serves(app: KnownApp): boolean;
  /** Whether the cell may load this artifact. */
  mayLoad(digest: Digest): boolean;
}

/** A listening server of one cell. */
export interface HostServer {
  close(): Promise<void>;
}

/** Serves one cell at `socketPath`, which the cell's user may connect to. */
export async function startHostServer(options: {
  socketPath: string;
  scope: CellScope;
  documents: Documents;
  artifacts: ArtifactCache;
}): Promise<HostServer> {
  const { socketPath } = options;
  await rm(socketPath, { force: true });
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => fail(response, error));
  });
  await new Promise<void>((done, reject) => server.once("error", reject).listen(socketPath, done));
  await chmod(socketPath, 0o666); // The folder around it belongs to the cell's user alone
  return {
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

type Served = Parameters<typeof startHostServer>[0];

async function answer(served: Served, request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? "/", "http://host");
  if (request.method !== "GET") return end(response, 405);
  if (url.pathname === "/documents/app") return sendApp(served, url.searchParams, response);
  const digest = url.pathname.slice("/artifacts/".length);
  if (!url.pathname.startsWith("/artifacts/") || !isDigest(digest)) return end(response, 404);
  if (!served.scope.mayLoad(digest)) return end(response, 404);
  if (url.searchParams.has("refetch")) await served.artifacts.drop(digest);
  const isSmall = (served.artifacts.sizeOf(digest) ?? AT_ONCE_BYTES_MAX) < AT_ONCE_BYTES_MAX;
  if (isSmall) return void response.end(await served.artifacts.read(digest));
  const { size, stream } = await served.artifacts.open(digest);
  response.writeHead(200, { "content-length": size });
  await pipeline(stream, response);
}

function sendApp({ documents, scope }: Served, query: URLSearchParams, response: ServerResponse) {
  const host = query.get("host");
  const app = host === null ? documents.app(query.get("name") ?? "") : documents.atHost(host)?.app;
  if (app === undefined || !scope.serves(app)) return end(response, 404);
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ documents: documents.signedFor(app) }));
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  end(response, IgniteError.from(error).reason === "NOT_FOUND" ? 404 : 503);
}
