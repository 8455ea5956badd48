/**
 * The HTTP port of `ignite dev`: passes requests to the cell as the platform's front does, and
 * tells browsers about rebuilds. Pages get a small script that reloads them after a rebuild and
 * shows compile errors over the last good version.
 */
import { randomUUID } from "node:crypto";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Transform } from "node:stream";
import { CLIENT_PATH, EVENTS_PATH, clientScript, errorPage, scriptTag } from "./dev-page.ts";

/** Where requests go, and what went wrong since the last good version. */
export interface DevTarget {
  /** The cell's socket; undefined until a version compiled. */
  socketPath: string | undefined;
  /** The errors of the newest compile as text; undefined when it succeeded. */
  failure: string | undefined;
}

/** A listening port. */
export interface DevFront {
  port: number;
  /** Tells browsers that `target` changed. */
  announce(): void;
  close(): Promise<void>;
}

const STRIPPED = /^(ignite-(?!sticky$|timing$)|connection$|upgrade$)/;

/** Listens at `host:port`; fails with the system's error when it cannot. */
export async function startDevFront(options: {
  host: string;
  port: number;
  target: () => DevTarget;
}): Promise<DevFront> {
  const browsers = new Set<ServerResponse>();
  const { target } = options;
  const server = createServer((request, response) => {
    if (request.url === CLIENT_PATH) return send(response, "text/javascript", clientScript);
    if (request.url === EVENTS_PATH) return subscribe(browsers, response, target());
    forward(request, response, target());
  });
  server.on("upgrade", (request, socket: Socket, head) => upgrade(request, socket, head, target()));
  await new Promise<void>((done, fail) => {
    server.once("error", fail).listen(options.port, options.host, done);
  });
  return {
    port: (server.address() as AddressInfo).port,
    announce() {
      for (const browser of browsers) browser.write(eventOf(target()));
    },
    close: () => closeServer(server),
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}

function send(response: ServerResponse, type: string, text: string, status = 200): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
}

function subscribe(browsers: Set<ServerResponse>, response: ServerResponse, target: DevTarget) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(target.failure === undefined ? ": connected\n\n" : eventOf(target));
  browsers.add(response);
  response.on("close", () => browsers.delete(response));
}

function eventOf({ failure }: DevTarget): string {
  const name = failure === undefined ? "reload" : "failure";
  return `event: ${name}\ndata: ${JSON.stringify(failure ?? "")}\n\n`;
}

function forward(request: IncomingMessage, response: ServerResponse, target: DevTarget): void {
  const { socketPath, failure } = target;
  if (socketPath === undefined) {
    return send(response, "text/html; charset=utf-8", errorPage(failure ?? "Compiling …"), 503);
  }
  const upstream = httpRequest({
    socketPath,
    method: request.method,
    path: request.url,
    headers: headersFor(request),
    setHost: false,
  });
  upstream.on("response", (answer) => {
    const page = isPlainPage(answer);
    const { "content-length": length, ...headers } = answer.headers;
    const kept = page || length === undefined ? headers : { ...headers, "content-length": length };
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, kept);
    answer.on("error", () => response.destroy());
    if (page) answer.pipe(appendScript()).pipe(response);
    else answer.pipe(response);
  });
  upstream.on("error", () => {
    if (response.headersSent) return void response.destroy();
    send(response, "text/plain", "The app's process ended; it is started again.\n", 503);
  });
  response.on("close", () => upstream.destroy());
  request.pipe(upstream);
}

function headersFor(request: IncomingMessage): IncomingHttpHeaders {
  const kept = Object.entries(request.headers).filter(([name]) => !STRIPPED.test(name));
  return {
    ...Object.fromEntries(kept),
    "ignite-request-id": randomUUID(),
    "x-forwarded-for": request.socket.remoteAddress,
    "x-forwarded-proto": "http",
  };
}

function isPlainPage(answer: IncomingMessage): boolean {
  const type = answer.headers["content-type"] ?? "";
  return /^text\/html\b/.test(type) && answer.headers["content-encoding"] === undefined;
}

function appendScript(): Transform {
  return new Transform({
    transform: (chunk, _encoding, done) => done(null, chunk),
    flush(done) {
      done(null, scriptTag);
    },
  });
}

/** Connects a WebSocket through, byte by byte. */
function upgrade(request: IncomingMessage, socket: Socket, head: Buffer, target: DevTarget): void {
  const upstream = httpRequest({
    socketPath: target.socketPath ?? "",
    method: request.method,
    path: request.url,
    headers: { ...headersFor(request), connection: "upgrade", upgrade: request.headers.upgrade },
    setHost: false,
  });
  socket.on("error", () => upstream.destroy());
  upstream.on("error", () => socket.destroy());
  upstream.on("response", (answer) => {
    socket.end(
      `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nconnection: close\r\n\r\n`,
    );
  });
  upstream.on("upgrade", (answer, other, otherHead) => {
    const { rawHeaders } = answer;
    const lines = rawHeaders.flatMap((name, at) =>
      at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1]}`] : [],
    );
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
    socket.write(otherHead);
    other.write(head);
    other.on("error", () => socket.destroy());
    other.pipe(socket).pipe(other);
  });
  upstream.end();
}
