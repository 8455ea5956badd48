/**
 * Answers what the front's maps do not know. It reads host and path by the strict grammar, has a
 * cell assigned, notes the address in the maps, and passes this one request on itself. Unknown
 * apps and paused ones are answered here.
 */
import { rm } from "node:fs/promises";
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { httpStatusOf, IgniteError, problemOf, type Reason } from "../../../core/errors.ts";
import { parseHost, targetOfPath } from "../../../core/names.ts";
import type { AppAddress } from "../documents/documents.ts";
import type { FailedRequest } from "./failure-log.ts";

/** What the assigner decides with. */
export interface AssignerOptions {
  socketPath: string;
  platformHosts: readonly string[];
  /** The app at a host name, or at `@org/app`. */
  find(key: string): AppAddress | undefined;
  /**
   * The cell that serves the app, which also notes `key` as one of its addresses. Fails with
   * APP_PAUSED and OVERLOADED.
   */
  assign(address: AppAddress, key: string): Promise<{ id: string; frontSocket: string }>;
  /** What to say of a request of `app` that the cell with this id did not answer. */
  lossIn(cellId: string, app: string): Promise<Reason>;
  /** Nobody listens where the cell with this id should. */
  onUnreachable(cellId: string): void;
  /** A request was lost with its cell. */
  onFailure(failed: FailedRequest): void;
}

/** A listening assigner. */
export interface Assigner {
  close(): Promise<void>;
}

/** A request and where it goes. */
interface Routed {
  address: AppAddress;
  key: string;
  request: IncomingMessage;
  startedMs: number;
}

const BAD_GATEWAY = 502;
const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Starts listening. */
export async function startAssigner(options: AssignerOptions): Promise<Assigner> {
  const server = createServer((request, response) => {
    serve(options, request, response).catch((error: unknown) => refuse(response, request, error));
  });
  server.on("upgrade", (request, socket, head) => {
    upgrade(options, request, socket, head).catch(() => socket.destroy());
  });
  server.requestTimeout = 0; // The front bounds slow callers
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

async function serve(options: AssignerOptions, request: IncomingMessage, response: ServerResponse) {
  const routed = route(options, request);
  await checkReturned(options, routed);
  const { id, frontSocket } = await options.assign(routed.address, routed.key);
  try {
    await pass(frontSocket, request, response);
  } catch (error) {
    if (isUnreachable(error)) options.onUnreachable(id);
    if (response.headersSent || response.destroyed) return void response.destroy();
    throw await lost(options, routed, id, error);
  }
}

function isUnreachable(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ECONNREFUSED";
}

async function upgrade(
  options: AssignerOptions,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
) {
  const { address, key } = route(options, request);
  const { frontSocket } = await options.assign(address, key);
  passUpgrade(frontSocket, request, socket, head);
}

function route(options: AssignerOptions, request: IncomingMessage): Routed {
  const host = parseHost(request.headers.host);
  if (host === undefined) throw invalidHost();
  const key = options.platformHosts.includes(host.name) ? keyOfPath(request.url) : host.name;
  const address = key === undefined ? undefined : options.find(key);
  if (key === undefined || address === undefined) throw unknownApp();
  return { address, key, request, startedMs: Date.now() };
}

function keyOfPath(path = "/"): string | undefined {
  const target = targetOfPath(path)?.target;
  return target === undefined ? undefined : `@${target.org}/${target.app}`;
}

/**
 * A request that a cell took with it comes back from the front. It is sent to another cell when
 * repeating it is harmless: it changes nothing, and it is not the one that broke the cell.
 */
async function checkReturned(options: AssignerOptions, routed: Routed): Promise<void> {
  const { request, address } = routed;
  const cellId = nameOf(request).cell;
  if (cellId === "") return;
  const reason = await options.lossIn(cellId, address.app.key);
  if (reason === "CELL_LOST" && SAFE_METHODS.has(request.method)) return;
  throw await lost(options, routed, cellId, undefined);
}

/** Notes that a request was lost, and answers the error that says so. */
async function lost(options: AssignerOptions, routed: Routed, cellId: string, cause: unknown) {
  const { request, key, startedMs, address } = routed;
  const nowMs = Date.now();
  options.onFailure({
    requestId: requestIdOf(request),
    backend: "cells",
    server: cellId,
    termination: "SH",
    status: 503,
    method: request.method ?? "",
    key,
    path: (request.url ?? "/").split("?", 1)[0] ?? "/",
    endedMs: nowMs,
    durationMs: nowMs - (namedMs(request) ?? startedMs),
  });
  return lossError(await options.lossIn(cellId, address.app.key), cause);
}

async function pass(socketPath: string, request: IncomingMessage, response: ServerResponse) {
  const onward = onwardRequest(socketPath, request);
  response.on("close", () => {
    if (!response.writableFinished) onward.destroy();
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    onward.once("response", resolve);
    onward.once("error", reject);
  });
  pipeline(request, onward).catch(() => {}); // A cell may answer before it has read the body
  const answer = await answered;
  response.writeHead(answer.statusCode ?? BAD_GATEWAY, answer.rawHeaders);
  await pipeline(answer, response);
}

function passUpgrade(socketPath: string, request: IncomingMessage, socket: Duplex, head: Buffer) {
  const onward = onwardRequest(socketPath, request);
  socket.on("error", () => onward.destroy());
  onward.on("error", () => socket.destroy());
  onward.on("upgrade", (answer, peer, first) => {
    socket.write(headOf(answer));
    if (first.length > 0) socket.write(first);
    if (head.length > 0) peer.write(head);
    pipeline(socket, peer, socket).catch(() => {}); // Either side may leave at any time
  });
  onward.on("response", (answer) => {
    socket.write(headOf(answer));
    pipeline(answer, socket).catch(() => {});
  });
  onward.end();
}

function onwardRequest(socketPath: string, request: IncomingMessage) {
  return httpRequest({
    socketPath,
    method: request.method,
    path: request.url,
    headers: request.rawHeaders as never,
    setHost: false,
    agent: false,
  });
}

function headOf(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let at = 0; at < answer.rawHeaders.length; at += 2) {
    lines.push(`${answer.rawHeaders[at]}: ${answer.rawHeaders[at + 1]}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function refuse(response: ServerResponse, request: IncomingMessage, caught: unknown): void {
  if (response.headersSent) return void response.destroy();
  const error = IgniteError.from(caught);
  const status = httpStatusOf(error.code);
  const { retryAfterSeconds = "1" } = error.details;
  response.writeHead(status, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    ...(status === 503 ? { "retry-after": retryAfterSeconds } : {}),
  });
  response.end(JSON.stringify(problemOf(error, requestIdOf(request))));
  request.resume();
}

function requestIdOf(request: IncomingMessage): string {
  return nameOf(request).id;
}

/** The request's id, and the cell that the front sent it to before, or "". */
function nameOf(request: IncomingMessage): { id: string; cell: string } {
  const [id = "", cell = ""] = String(request.headers["ignite-request-id"] ?? "").split(".");
  return { id, cell };
}

/** When the front named the request: its id begins with the time, in hexadecimal milliseconds. */
function namedMs(request: IncomingMessage): number | undefined {
  const [time] = /^[0-9a-f]{12}(?=[0-9a-f]{14}$)/.exec(requestIdOf(request)) ?? [];
  return time === undefined ? undefined : Number.parseInt(time, 16);
}

function invalidHost(): IgniteError {
  return new IgniteError({
    code: "invalid_argument",
    reason: "HOST_INVALID",
    message: "The Host header is not a hostname.",
  });
}

function unknownApp(): IgniteError {
  return new IgniteError({
    code: "not_found",
    reason: "APP_NOT_FOUND",
    message: "No app answers at this address.",
  });
}

function lossError(reason: Reason, cause: unknown): IgniteError {
  return new IgniteError({
    code: "unavailable",
    reason,
    message: LOSS_MESSAGES[reason] ?? "The process that ran the request ended.",
    cause,
  });
}

const LOSS_MESSAGES: Partial<Record<Reason, string>> = {
  CPU_EXCEEDED: "The app used up its CPU time and was stopped.",
  MEMORY_EXCEEDED: "The app used up its memory and was stopped.",
};
