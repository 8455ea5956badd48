/** Hrana over HTTP: routes `/v2`, `/v2/pipeline`, `/v3`, `/v3/pipeline` and `/v3/cursor`. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Log } from "../../../core/log.ts";
import { readBody, sendJson } from "../http.ts";
import type { RowBudget } from "./connection.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { HranaError, parseCursor, parsePipeline, type StreamRequest } from "./protocol.ts";
import { Stream, wireError } from "./stream.ts";
import { StreamTable, type StreamTableOptions } from "./stream-table.ts";
import { WriteLane } from "./write-lane.ts";

/** How a {@link HranaServer} is made. */
export interface HranaOptions extends StreamTableOptions {
  /** The database file, already migrated. */
  path: string;
  log: Log;
  /** How long a writer waits for another one. */
  busyTimeoutMs: number;
}

const BODY_BYTES_MAX = 32 * 1024 * 1024; // A batch of execution logs is the largest we send
const ROWS_MAX = 100_000; // Per request; pages are a thousand
const ROW_BYTES_MAX = 64 * 1024 * 1024;

/** Serves one database file. */
export class HranaServer {
  readonly #log: Log;
  readonly #pool: ConnectionPool;
  readonly #lane: WriteLane;
  readonly #streams: StreamTable;

  constructor(options: HranaOptions) {
    this.#log = options.log;
    this.#pool = new ConnectionPool(options.path);
    this.#lane = new WriteLane(options.busyTimeoutMs);
    this.#streams = new StreamTable(options);
  }

  /** Answers a request whose token was checked; false for a path that is not Hrana's. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const path = (request.url ?? "").split("?", 1)[0];
    const route = `${request.method} ${path}`;
    try {
      if (route === "GET /v2" || route === "GET /v3") response.writeHead(200).end();
      else if (route === "POST /v2/pipeline" || route === "POST /v3/pipeline") {
        await this.#pipeline(request, response);
      } else if (route === "POST /v3/cursor") await this.#cursor(request, response);
      else return false;
    } catch (error) {
      if (!(error instanceof HranaError)) throw error;
      sendJson(response, error.code === "STREAM_LIMIT" ? 503 : 400, wireError(error));
    }
    return true;
  }

  /** Rolls back what is open and closes the file. */
  close(): void {
    this.#streams.close();
    try {
      this.#pool.checkpoint();
    } catch (error) {
      // The next start reads the log; there may be no room to move it now.
      this.#log.warn("the write-ahead log stays", describe(error));
    }
    this.#pool.close();
  }

  async #pipeline(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { baton, requests } = parsePipeline(await readBody(request, BODY_BYTES_MAX));
    if (requests.at(-1)?.type !== "close") this.#streams.assertRoom();
    const stream = this.#open(baton);
    const results: unknown[] = [];
    const budget = newBudget();
    try {
      for (const streamRequest of requests) {
        results.push(await this.#answer(stream, streamRequest, budget));
      }
    } catch (error) {
      stream.close();
      throw error;
    }
    sendJson(response, 200, { baton: this.#streams.keep(stream), base_url: null, results });
  }

  async #answer(stream: Stream, request: StreamRequest, budget: RowBudget): Promise<unknown> {
    try {
      return { type: "ok", response: await stream.answer(request, budget) };
    } catch (error) {
      if (!(error instanceof HranaError)) this.#log.error("a statement failed", describe(error));
      return { type: "error", error: wireError(error) };
    }
  }

  async #cursor(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { baton, steps } = parseCursor(await readBody(request, BODY_BYTES_MAX));
    this.#streams.assertRoom();
    const stream = this.#open(baton);
    // The answer begins with the baton, before the batch has run; it is good once the body ends.
    const nextBaton = this.#streams.reserve();
    try {
      response.writeHead(200, { "content-type": "text/plain" });
      response.write(line({ baton: nextBaton, base_url: null }));
      for await (const entry of stream.cursor(steps, newBudget())) {
        if (response.destroyed) break;
        if (!response.write(line(entry))) await drained(response);
      }
      if (response.destroyed) stream.close();
      else this.#streams.keep(stream, nextBaton);
    } catch (error) {
      stream.close();
      this.#log.error("a cursor failed", describe(error));
      response.write(line({ type: "error", error: wireError(error) }));
    }
    response.end();
  }

  #open(baton: string | undefined): Stream {
    return baton === undefined ? new Stream(this.#pool, this.#lane) : this.#streams.take(baton);
  }
}

function newBudget(): RowBudget {
  return { rows: ROWS_MAX, bytes: ROW_BYTES_MAX };
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  const gone = new AbortController();
  const onClose = () => gone.abort();
  response.once("close", onClose);
  await once(response, "drain", { signal: gone.signal }).catch(() => {});
  response.off("close", onClose);
}

function describe(error: unknown): { error: string } {
  return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
