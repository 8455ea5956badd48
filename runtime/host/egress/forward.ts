/** Plain requests: body in, answer out. */
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { depart, type Departure, type ExchangeContext, open } from "./exchange.ts";
import { hasBody, responseHeaders } from "./headers.ts";
import { connectionFailed, sendProblem } from "./problem.ts";

/** Carries one request of a cell out and its answer back. Never rejects. */
export async function forward(
  context: ExchangeContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let departure: Departure;
  try {
    departure = await depart(context, request);
  } catch (error) {
    request.resume(); // So that the connection stays good for the next request
    return sendProblem(response, error);
  }
  try {
    await exchange(context, departure, request, response);
  } catch (error) {
    departure.caller.counters.failed += 1;
    sendProblem(response, connectionFailed(departure.target.host, error));
  } finally {
    departure.leave();
  }
}

async function exchange(
  context: ExchangeContext,
  departure: Departure,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = hasBody(request.headers);
  const repeatable = !body && (departure.method === "GET" || departure.method === "HEAD");
  let upstream = open(context, departure, false);
  response.once("close", () => {
    if (!response.writableFinished) upstream.destroy();
  });
  let answer: IncomingMessage;
  try {
    answer = await send(upstream, body ? request : undefined, departure);
  } catch (error) {
    // A kept connection that the other side closed while it was idle
    if (!repeatable || !upstream.reusedSocket || response.destroyed) throw error;
    upstream = open(context, departure, false);
    answer = await send(upstream, undefined, departure);
  }
  await answerWith(context, departure, answer, response);
}

/** Sends the body and waits for the head of the answer, which may come first. */
function send(
  upstream: ClientRequest,
  body: IncomingMessage | undefined,
  departure: Departure,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    upstream.once("response", resolve);
    upstream.on("error", reject); // Also those after the answer, which nobody else hears
    upstream.once("close", () => reject(new Error("the connection was closed")));
    if (body === undefined) upstream.end();
    else sendBody(upstream, body, departure);
  });
}

/** Not a pipeline: that would end the cell's connection, on which the problem is to be told. */
function sendBody(upstream: ClientRequest, body: IncomingMessage, departure: Departure): void {
  const { counters } = departure.caller;
  const count = counter((bytes) => {
    counters.bytesSent += bytes;
  });
  body.pipe(count).pipe(upstream);
  body.on("error", () => upstream.destroy());
  upstream.once("close", () => {
    body.unpipe(count);
    body.resume();
  });
}

async function answerWith(
  context: ExchangeContext,
  departure: Departure,
  answer: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { counters } = departure.caller;
  const { responseBytesMax = Number.POSITIVE_INFINITY } = context;
  let received = 0;
  const count = counter((bytes) => {
    received += bytes;
    counters.bytesReceived += bytes;
    if (received > responseBytesMax) throw new Error(`it sent more than ${responseBytesMax} bytes`);
  });
  response.sendDate = false;
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, responseHeaders(answer));
  response.flushHeaders();
  await pipeline(answer, count, response);
}

/** Passes bytes on and tells how many; what `tell` throws ends the stream. */
function counter(tell: (bytes: number) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        tell(chunk.length);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
}
