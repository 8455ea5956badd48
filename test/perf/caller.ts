/** One caller's requests, each timed from sending to first byte. */
import { Agent, request } from "node:http";

/** An answer, or what went wrong instead. */
export interface Answer {
  /** 0 when there was no answer. */
  status: number;
  body: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** When it was sent and when it was there, of `performance.now()`. */
  sentMs: number;
  firstByteMs: number;
  doneMs: number;
}

const TIMEOUT_MS = 30_000;

/** Calls one server on loopback by Host header. */
export class Caller {
  readonly #agent: Agent;
  readonly #port: number;

  /** Without `keepAlive` each request has a connection of its own. */
  constructor(port: number, { keepAlive = true } = {}) {
    this.#agent = new Agent({ keepAlive });
    this.#port = port;
  }

  /** Never rejects: a broken connection and a timeout are answers with status 0. */
  get(host: string, path = "/", headers: Record<string, string> = {}): Promise<Answer> {
    const sentMs = performance.now();
    return new Promise((resolve) => {
      const fail = (error: Error) => {
        const doneMs = performance.now();
        const body = error.message;
        resolve({ status: 0, body, headers: {}, sentMs, firstByteMs: doneMs, doneMs });
      };
      const sent = request({
        agent: this.#agent,
        host: "127.0.0.1",
        port: this.#port,
        path,
        headers: { host, ...headers },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      sent.on("error", fail).end();
      sent.on("response", (response) => {
        const firstByteMs = performance.now();
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          body += chunk;
        });
        response.on("error", fail).on("end", () => {
          const { statusCode: status = 0 } = response;
          const doneMs = performance.now();
          resolve({ status, body, headers: response.headers, sentMs, firstByteMs, doneMs });
        });
      });
    });
  }

  /** Closes its connections. */
  close(): void {
    this.#agent.destroy();
  }
}

/** Fails with what was answered unless it is the body that was expected. */
export function expectBody(answer: Answer, body: string): Answer {
  if (answer.status === 200 && answer.body === body) return answer;
  throw new Error(`expected ${JSON.stringify(body)}, got ${answer.status} ${answer.body}`);
}
