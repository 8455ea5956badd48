/**
 * A cell in a real workerd process, with an edge host and an egress process of the test's own:
 * artifacts and documents come from maps, and each line the cell writes is kept.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { AppDocument, SignedDocument } from "../../core/deployment.ts";
import { bundleCellWorker } from "../../runtime/build.ts";
import type { CellConfig } from "../../runtime/dispatch/config.ts";
import { startWorkerd, type WorkerdProcess } from "../../runtime/host/workerd-process.ts";
import { appDocument, artifactOf, documentsKeyText, signedApp } from "./documents.ts";

/** A request to a unix socket. */
export interface SocketRequest {
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Uint8Array | Readable;
  signal?: AbortSignal;
}

/** Its answer; the body is read with {@link textOf} or piece by piece. */
export type SocketResponse = IncomingMessage;

/** How the test plays the rest of the platform. */
export interface TestCellOptions {
  config?: Partial<CellConfig>;
  egress?: (request: IncomingMessage, response: ServerResponse) => void;
  control?: (request: IncomingMessage, response: ServerResponse) => void;
}

/** A running cell. */
export interface TestCell {
  readonly folder: string;
  readonly pid: number;
  /** Artifacts that HOST answers with, by digest; a list is answered one after the other. */
  readonly artifacts: Map<string, Uint8Array[]>;
  /** Documents that HOST finds, by `name=org/app` or `host=…`. */
  readonly findable: Map<string, SignedDocument[]>;
  /** Requests that HOST got. */
  readonly hostRequests: string[];
  /** Lines on stdout and stderr. */
  readonly lines: string[];
  /** Pushes documents. */
  push(...documents: SignedDocument[]): Promise<void>;
  /** Stores the source as an artifact and pushes an app that runs it. */
  deploy(name: string, source: string, more?: Partial<AppDocument>): Promise<void>;
  /** A request on the traffic socket. */
  call(host: string, path: string, options?: SocketRequest): Promise<SocketResponse>;
  /** A request on the admin socket, answered in JSON. */
  admin<Answer>(path: string, body?: unknown): Promise<Answer>;
  /** Waits until a line of the cell matches. */
  line(pattern: RegExp): Promise<string>;
  /** The log lines of guests so far, parsed. */
  logs(): GuestLine[];
  stop(): Promise<void>;
}

/** A guest's log line. */
export interface GuestLine {
  t: "log";
  x?: string;
  l: string;
  m: string;
  s?: string;
}

let bundle: Promise<string> | undefined;

/** Starts a cell in a folder of its own. */
export async function startTestCell(options: TestCellOptions = {}): Promise<TestCell> {
  const folder = await mkdtemp(join(tmpdir(), "ignite-cell-"));
  const cell = new RunningCell(folder);
  await cell.start(options);
  return cell;
}

/** The whole body as text. */
export async function textOf(response: SocketResponse): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}

/** The whole body as JSON. */
export async function jsonOf<Value = Record<string, unknown>>(
  response: SocketResponse,
): Promise<Value> {
  return JSON.parse(await textOf(response)) as Value;
}

/** Sends a request to a unix socket. Rejects when the connection fails. */
export function requestSocket(
  socketPath: string,
  path: string,
  { method = "GET", headers = {}, body, signal }: SocketRequest,
): Promise<SocketResponse> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { socketPath, path, method, headers, setHost: false, ...(signal ? { signal } : {}) },
      resolve,
    );
    sent.on("error", reject);
    if (!(body instanceof Readable)) return void sent.end(body);
    sent.flushHeaders(); // Before the body, which may not have anything yet
    body.pipe(sent);
  });
}

class RunningCell implements TestCell {
  readonly folder: string;
  readonly artifacts = new Map<string, Uint8Array[]>();
  readonly findable = new Map<string, SignedDocument[]>();
  readonly hostRequests: string[] = [];
  readonly lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #closers: (() => Promise<void>)[] = [];
  #process: WorkerdProcess | undefined;
  #requests = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  get pid() {
    return this.#process?.pid ?? 0;
  }

  async start({ config, egress = refuse, control = refuse }: TestCellOptions): Promise<void> {
    await this.#listen("host", (incoming, outgoing) => this.#answerHost(incoming, outgoing));
    await this.#listen("egress", egress);
    await this.#listen("control", control);
    bundle ??= bundleCellWorker();
    const cellConfig: CellConfig = {
      id: "test",
      token: "trusted",
      domain: "localhost",
      documentsKey: documentsKeyText(),
      fallback: false,
      ...config,
    };
    this.#process = await startWorkerd({
      name: "cell",
      folder: this.folder,
      config: cellWorkerdConfig(this.folder, await bundle, cellConfig),
      onLine: (line) => {
        this.lines.push(line);
        for (const wake of this.#waiting) wake();
      },
    });
  }

  async push(...documents: SignedDocument[]): Promise<void> {
    await this.admin("/documents", { documents });
  }

  async deploy(name: string, source: string, more: Partial<AppDocument> = {}): Promise<void> {
    const { blob, digest } = artifactOf(source);
    this.artifacts.set(digest, [blob]);
    await this.push(await signedApp(appDocument(name, digest, more)));
  }

  call(host: string, path: string, options: SocketRequest = {}): Promise<SocketResponse> {
    this.#requests += 1;
    const headers = { host, "ignite-request-id": `r${this.#requests}`, ...options.headers };
    return requestSocket(join(this.folder, "front.sock"), path, { ...options, headers });
  }

  async admin<Answer>(path: string, body?: unknown): Promise<Answer> {
    const response = await requestSocket(join(this.folder, "admin.sock"), path, {
      method: body === undefined ? "GET" : "POST",
      headers: { host: "admin", "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await textOf(response);
    if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode} ${text}`);
    return JSON.parse(text) as Answer;
  }

  line(pattern: RegExp): Promise<string> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.lines.find((line) => pattern.test(line));
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  logs(): GuestLine[] {
    return this.lines
      .filter((line) => /^[\w-]{24} \{"t":"log"/.test(line))
      .map((line) => JSON.parse(line.slice(25)) as GuestLine);
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
    await Promise.all(this.#closers.map((close) => close()));
    await rm(this.folder, { recursive: true, force: true });
  }

  async #listen(name: string, handler: (i: IncomingMessage, o: ServerResponse) => void) {
    const server = createServer(handler);
    await new Promise<void>((resolve) => server.listen(join(this.folder, `${name}.sock`), resolve));
    this.#closers.push(
      () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    );
  }

  #answerHost(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const url = new URL(incoming.url ?? "/", "http://host");
    this.hostRequests.push(url.pathname + url.search);
    if (url.pathname === "/documents/app") {
      const documents = this.findable.get(decodeURIComponent(url.search.slice(1)));
      outgoing.writeHead(documents === undefined ? 404 : 200);
      outgoing.end(JSON.stringify({ documents }));
      return;
    }
    const blobs = this.artifacts.get(url.pathname.slice("/artifacts/".length)) ?? [];
    const blob = blobs.length > 1 ? blobs.shift() : blobs[0];
    outgoing.writeHead(blob === undefined ? 404 : 200);
    outgoing.end(blob);
  }
}

/** The workerd configuration of a cell whose sockets lie in `folder`, as the README says. */
function cellWorkerdConfig(folder: string, code: string, config: CellConfig) {
  const names = ["host", "egress", "control"];
  return {
    services: [
      {
        name: "cell",
        worker: {
          modules: [{ name: "cell.js", type: "js" as const, text: code }],
          compatibilityDate: "2026-08-01",
          compatibilityFlags: ["experimental"],
          bindings: [
            { name: "LOADER", workerLoader: true as const },
            { name: "CELL", json: config },
            ...names.map((name) => ({ name: name.toUpperCase(), service: { name } })),
          ],
        },
      },
      ...names.map((name) => ({ name, unixSocket: join(folder, `${name}.sock`) })),
    ],
    sockets: [
      { name: "front", unixSocket: join(folder, "front.sock"), service: { name: "cell" } },
      {
        name: "admin",
        unixSocket: join(folder, "admin.sock"),
        service: { name: "cell", entrypoint: "Admin" },
      },
    ],
  };
}

function refuse(_incoming: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(501).end();
}
