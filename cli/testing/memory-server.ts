import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  type MemoryPlatform,
  memoryKey,
  memoryPlatform,
} from "../../sdk/testing/memory-platform.ts";

/** A platform in memory behind a real socket. */
export interface MemoryServer {
  url: string;
  key: string;
  state: MemoryPlatform["state"];
  close(): Promise<void>;
}

/** Starts a platform on a free port. */
export async function startMemoryServer(): Promise<MemoryServer> {
  const platform = memoryPlatform();
  const { state } = platform;
  const server = createServer((request, response) => {
    serve(platform, request, response).catch((error: Error) => response.destroy(error));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((done) => server.close(() => done()));
  };
  return { url: state.url, key: memoryKey, state, close };
}

async function serve(
  platform: MemoryPlatform,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "GET", url = "/", headers } = request;
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  const body = chunks.length > 0 ? { body: Buffer.concat(chunks) } : {};
  const answer = await platform.fetch(platform.state.url + url, {
    method,
    headers: headers as Record<string, string>,
    ...body,
  });
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body === null) return void response.end();
  await pipeline(Readable.fromWeb(answer.body), response);
}
