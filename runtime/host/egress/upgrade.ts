/** WebSockets: the handshake is checked like any request, then bytes pass unseen. */
import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { depart, type Departure, type ExchangeContext, open } from "./exchange.ts";
import { responseHeaders } from "./headers.ts";
import { connectionFailed, sendProblem } from "./problem.ts";
import { refused } from "./target.ts";

/** Carries a WebSocket of a cell. Never rejects. */
export async function forwardUpgrade(
  context: ExchangeContext,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  socket.on("error", () => {}); // The cell went away; the pipeline sees it too
  let departure: Departure | undefined;
  try {
    if (request.headers.upgrade?.toLowerCase() !== "websocket") {
      throw refused("Only WebSockets can be upgraded to.");
    }
    departure = await depart(context, request);
    await exchange(context, departure, request, socket, head);
  } catch (error) {
    const failure = departure === undefined ? error : failureOf(departure, error);
    if (!socket.destroyed) sendProblem(plainResponse(request, socket), failure);
  } finally {
    departure?.leave();
  }
}

async function exchange(
  context: ExchangeContext,
  departure: Departure,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const upstream = open(context, departure, true);
  socket.once("close", () => upstream.destroy());
  const answered = new Promise<Answer>((resolve, reject) => {
    upstream.once("upgrade", (answer, peer, peerHead) => resolve({ answer, peer, peerHead }));
    upstream.once("response", (answer) => resolve({ answer }));
    upstream.on("error", reject);
    upstream.once("close", () => reject(new Error("the connection was closed")));
  });
  upstream.end();
  const { answer, peer, peerHead } = await answered;
  if (peer === undefined) return refuseUpgrade(answer, request, socket);
  peer.on("error", () => {});
  peer.setTimeout?.(0); // An open WebSocket may be silent
  socket.write(acceptance(answer));
  if (peerHead !== undefined) socket.write(peerHead);
  peer.write(head);
  const passing = [pipeline(socket, peer), pipeline(peer, socket)];
  await Promise.allSettled(passing); // Either side may go away; both ends are closed by then
}

interface Answer {
  answer: IncomingMessage;
  peer?: Duplex & { setTimeout?: (ms: number) => void };
  peerHead?: Buffer;
}

/** The other side answered with a plain response; the cell gets that. */
async function refuseUpgrade(
  answer: IncomingMessage,
  request: IncomingMessage,
  socket: Duplex,
): Promise<void> {
  const response = plainResponse(request, socket);
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, responseHeaders(answer));
  await pipeline(answer, response);
}

function plainResponse(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.sendDate = false;
  response.assignSocket(socket as never);
  response.once("finish", () => socket.end());
  return response;
}

function acceptance(answer: IncomingMessage): string {
  const headers = responseHeaders(answer);
  const lines = ["HTTP/1.1 101 Switching Protocols", "connection: Upgrade", "upgrade: websocket"];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function failureOf(departure: Departure, error: unknown): unknown {
  departure.caller.counters.failed += 1;
  return connectionFailed(departure.target.host, error);
}
