/**
 * The HTTP port of `ignite dev`: passes requests to the cell as the platform's front does, and
 * tells browsers about rebuilds. Pages get a small script that reloads them after a rebuild and
 * shows compile errors over the last good version; errors are pages for those who ask for one.
 */
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type DevTarget, Exchange, headersFor, newRequestId } from "./dev-exchange.ts";
import { CLIENT_PATH, clientScript, EVENTS_PATH } from "./dev-page.ts";

/** A listening port. */
export interface DevFront {
  port: number;
  /** Tells browsers that `target` changed. */
  announce(): void;
  /** Shows an error in browsers, over the page that they have. */
  show(text: string): void;
  close(): Promise<void>;
}

/** Listens at `host:port`; fails with the system's error when it cannot. */
export async function startDevFront(options: {
  host: string;
  port: number;
  target: DevTarget;
}): Promise<DevFront> {
  const browsers = new Set<ServerResponse>();
  const { target } = options;
  const tell = (event: string) => {
    for (const browser of browsers) browser.write(event);
  };
  const server = createServer((request, response) => {
    if (request.url === CLIENT_PATH) {
      response.writeHead(200, { "content-type": "text/javascript", "cache-control": "no-store" });
      response.end(clientScript);
    } else if (request.url === EVENTS_PATH) subscribe(browsers, response, target);
    else void new Exchange(target, request, response).run();
  });
  server.on("upgrade", (request, socket: Socket, head) => {
    upgrade(request, socket, head, target).catch(() => socket.destroy());
  });
  await new Promise<void>((done, fail) => {
    server.once("error", fail).listen(options.port, options.host, done);
  });
  return {
    port: (server.address() as AddressInfo).port,
    announce: () => tell(eventOf(target.failure)),
    show: (text) => tell(eventOf(text)),
    close: () => closeServer(server),
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}

function subscribe(browsers: Set<ServerResponse>, response: ServerResponse, target: DevTarget) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(target.failure === undefined ? ": connected\n\n" : eventOf(target.failure));
  browsers.add(response);
  response.on("close", () => browsers.delete(response));
}

/** What browsers are told: a failure, or without one to load the page again. */
function eventOf(failure: string | undefined): string {
  const name = failure === undefined ? "reload" : "failure";
  return `event: ${name}\ndata: ${JSON.stringify(failure ?? "")}\n\n`;
}

/** Connects a WebSocket through, byte by byte. */
async function upgrade(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  target: DevTarget,
): Promise<void> {
  socket.on("error", () => socket.destroy());
  await target.compiled;
  if (!target.serves) return void socket.destroy();
  const { socketPath } = await target.process();
  const headers = headersFor(request, newRequestId());
  const upstream = httpRequest({
    socketPath,
    method: request.method,
    path: request.url,
    headers: { ...headers, connection: "upgrade", upgrade: request.headers.upgrade },
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
