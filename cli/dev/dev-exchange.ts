/** A request of `ignite dev`, to the cell and back; what fails is told, and shown to browsers. */
import { randomUUID } from "node:crypto";
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import { Transform } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { IgniteError, type Problem } from "../../core/errors.ts";
import { type DevFailure, lostProblem, platformProblem } from "./dev-failure.ts";
import { scriptTag } from "./dev-page.ts";
import { sendFailure } from "./send-failure.ts";

/** What requests go to. */
export interface DevTarget {
  /** Resolves when the first compile is done, well or not. */
  compiled: Promise<void>;
  /** Whether a version compiled that can answer. */
  serves: boolean;
  /** The errors of the newest compile as text; undefined when it succeeded. */
  failure: string | undefined;
  /** The process that answers, once it is up. */
  process(): Promise<DevProcess>;
  /** Told about each request that ends in an error of the platform's; adds what the log has. */
  onFailure(failure: Omit<DevFailure, "log">): Promise<DevFailure>;
}

/** A process that takes requests. */
export interface DevProcess {
  socketPath: string;
  /** Resolves when it has ended. */
  lost: Promise<IgniteError>;
}

const STRIPPED = /^(ignite-(?!sticky$|timing$)|connection$|upgrade$)/;
const PROBLEM_BYTES_MAX = 64 * 1024; // The platform's own are below 4 KiB
const END_NOTICE_MS = 1_000; // A process that closes its sockets has ended within it

/** One request on its way to the app and back. */
export class Exchange {
  readonly #target: DevTarget;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #requestId = newRequestId();

  constructor(target: DevTarget, request: IncomingMessage, response: ServerResponse) {
    this.#target = target;
    this.#request = request;
    this.#response = response;
  }

  /** Never rejects. */
  async run(): Promise<void> {
    await this.#target.compiled;
    const { serves, failure } = this.#target;
    if (!serves) return this.#fail(lostProblem(notCompiled(failure), this.#requestId));
    let process: DevProcess | undefined;
    try {
      process = await this.#target.process();
      await this.#answer(await this.#send(process.socketPath));
    } catch (error) {
      if (this.#response.headersSent || this.#response.destroyed) {
        return void this.#response.destroy();
      }
      await this.#fail(lostProblem(await whyLost(process, error), this.#requestId));
    }
  }

  #send(socketPath: string): Promise<IncomingMessage> {
    const upstream = httpRequest({
      socketPath,
      method: this.#request.method,
      path: this.#request.url,
      headers: headersFor(this.#request, this.#requestId),
      setHost: false,
    });
    this.#response.on("close", () => upstream.destroy());
    this.#request.pipe(upstream);
    return new Promise((resolve, reject) => upstream.on("response", resolve).on("error", reject));
  }

  async #answer(answer: IncomingMessage): Promise<void> {
    const { statusCode = 502, statusMessage, headers } = answer;
    answer.on("error", () => this.#response.destroy());
    if (isProblem(answer)) {
      const body = await textOf(answer);
      const problem = platformProblem(body, this.#requestId);
      if (problem !== undefined) return this.#fail(problem, headers);
      this.#response.writeHead(statusCode, statusMessage, headers).end(body);
      return;
    }
    const page = isPlainPage(answer);
    const { "content-length": length, ...others } = headers;
    const kept = page || length === undefined ? others : { ...others, "content-length": length };
    this.#response.writeHead(statusCode, statusMessage, kept);
    if (page) answer.pipe(appendScript()).pipe(this.#response);
    else answer.pipe(this.#response);
  }

  async #fail(problem: Problem, headers: IncomingHttpHeaders = {}): Promise<void> {
    const { method = "GET", url: path = "/" } = this.#request;
    const failure = await this.#target.onFailure({ method, path, problem });
    sendFailure(this.#request, this.#response, failure, headers);
  }
}

function notCompiled(failure: string | undefined): IgniteError {
  return new IgniteError({
    code: "unavailable",
    reason: "COMPILE_FAILED",
    message: failure ?? "The app is being compiled.",
  });
}

/** Why a process gave no answer: it ended, or could not even be started. */
async function whyLost(process: DevProcess | undefined, error: unknown): Promise<IgniteError> {
  const lost = process && (await Promise.race([process.lost, sleep(END_NOTICE_MS)]));
  return lost ?? IgniteError.from(error);
}

/** As the front of the platform makes them, so that log lines of the request are known by it. */
export function newRequestId(): string {
  return randomUUID().replaceAll("-", "").slice(0, 26);
}

/** The headers that the cell gets: none that only the platform may set, and who asks. */
export function headersFor(request: IncomingMessage, requestId: string): IncomingHttpHeaders {
  const kept = Object.entries(request.headers).filter(([name]) => !STRIPPED.test(name));
  return {
    ...Object.fromEntries(kept),
    "ignite-request-id": requestId,
    "x-forwarded-for": request.socket.remoteAddress,
    "x-forwarded-proto": "http",
  };
}

function isProblem({ statusCode = 0, headers }: IncomingMessage): boolean {
  if (statusCode < 400 || headers["content-type"] !== "application/problem+json") return false;
  return Number(headers["content-length"] ?? PROBLEM_BYTES_MAX) < PROBLEM_BYTES_MAX;
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
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
