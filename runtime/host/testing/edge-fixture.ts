/** An edge with a control plane in memory, for tests of this folder. */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, request } from "undici";
import { afterEach } from "vitest";
import { encodeBundle } from "../../../core/bundle.ts";
import {
  type AppDocument,
  type ExecutionRecord,
  type LogRecord,
  type OrganizationDocument,
  type SignedDocument,
  signDocument,
} from "../../../core/deployment.ts";
import type { Digest } from "../../../core/ids.ts";
import { silentLog } from "../../../core/log.ts";
import { channelKey } from "../../../core/plane-token.ts";
import { type Edge, startEdge } from "../edge.ts";
import type { EdgeOptions } from "../edge-options.ts";

/** A platform without control's database: documents are made by the test. */
export interface EdgeFixture {
  edge: Edge;
  /** Sockets of its processes. */
  runFolder: string;
  executions: ExecutionRecord[];
  logs: LogRecord[];
  /** Publishes a Deno app whose main module is `source` as its next version. */
  publish(name: string, source: string, change?: Partial<AppDocument>): Promise<Digest>;
  organization(org: string, change: Partial<OrganizationDocument>): Promise<void>;
  /** Calls an app by its host. */
  call(name: string, path?: string, init?: CallInit): Promise<Answer>;
  /** Ends the control plane's sockets. */
  stopControl(): Promise<void>;
  close(): Promise<void>;
}

/** What a call sends beside its path. */
export interface CallInit {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  host?: string;
}

/** What came back. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

const masterKey = new Uint8Array(32).fill(7);
const started: EdgeFixture[] = [];

/** {@link startEdgeFixture} for the tests of a file: each is closed when its test is over. */
export function closedAfterEach(): typeof startEdgeFixture {
  afterEach(async () => {
    for (const fixture of started.splice(0)) await fixture.close();
  });
  return async (change) => {
    const fixture = await startEdgeFixture(change);
    started.push(fixture);
    return fixture;
  };
}

/** Starts it on a free port with folders of its own. */
export async function startEdgeFixture(change: Partial<EdgeOptions> = {}): Promise<EdgeFixture> {
  const root = await mkdtemp(join(tmpdir(), "ignite-edge-"));
  const run = join(root, "run");
  await mkdir(run, { mode: 0o700 });
  const control = new MemoryControl();
  await control.listen(join(run, "control.sock"), join(run, "control-internal.sock"));
  const edge = await startEdge({
    data: root,
    run,
    masterKey,
    domain: "localhost",
    listen: { host: "127.0.0.1", port: 0 },
    control: {
      publicSocket: join(run, "control.sock"),
      internalSocket: join(run, "control-internal.sock"),
    },
    log: silentLog,
    ...change,
  });
  const dispatcher = new Agent({ connections: 64 });
  return {
    edge,
    runFolder: run,
    executions: control.executions,
    logs: control.logs,
    publish: (name, source, extra) => control.publish(edge, name, source, extra),
    organization: (org, extra) => control.organization(edge, org, extra),
    async call(name, path = "/", init = {}) {
      const [org, app] = name.split("/");
      const { method = "GET", headers = {}, body = null } = init;
      const host = init.host ?? `${app}--${org}.localhost`;
      const response = await request(`http://127.0.0.1:${edge.port}${path}`, {
        dispatcher,
        method: method as "GET",
        headers: { ...headers, host },
        body,
      });
      const text = await response.body.text();
      return { status: response.statusCode, headers: response.headers, text };
    },
    stopControl: () => control.close(),
    async close() {
      await dispatcher.destroy();
      await edge.close(0);
      await control.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

class MemoryControl {
  readonly executions: ExecutionRecord[] = [];
  readonly logs: LogRecord[] = [];
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #documents = new Map<string, SignedDocument>();
  readonly #servers: Server[] = [];
  #sequence = 0;

  async listen(publicSocket: string, internalSocket: string): Promise<void> {
    const answering = createServer((_, response) => response.end("control"));
    const internal = createServer((incoming, response) => {
      const url = new URL(incoming.url ?? "/", "http://control");
      if (incoming.method === "POST") {
        void this.#receive(incoming, url.pathname).then(() => response.end("{}"));
        return;
      }
      if (url.pathname.startsWith("/internal/artifacts/")) {
        const blob = this.#blobs.get(url.pathname.slice("/internal/artifacts/".length));
        if (blob === undefined) return void response.writeHead(404).end();
        return void response.end(blob);
      }
      const after = Number(url.searchParams.get("after"));
      const items = Array.from(this.#documents.values()).filter((item) => item.sequence > after);
      response.end(JSON.stringify({ sequence: this.#sequence, items }));
    });
    this.#servers.push(answering, internal);
    await new Promise<void>((done) => answering.listen(publicSocket, done));
    await new Promise<void>((done) => internal.listen(internalSocket, done));
  }

  async close(): Promise<void> {
    for (const server of this.#servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }

  async publish(edge: Edge, name: string, source: string, change: Partial<AppDocument> = {}) {
    const [org = "", app = ""] = name.split("/");
    const blob = bundleOf(source);
    const artifact = createHash("sha256").update(blob).digest("hex") as Digest;
    this.#blobs.set(artifact, blob);
    const known = this.#documents.get(name);
    const before = known === undefined ? undefined : (JSON.parse(known.body) as AppDocument);
    const number = Object.keys(before?.versions ?? {}).length + 1;
    const version = { versionId: `ver_${number}`, number, artifact, vars: {} };
    const document: AppDocument = {
      appId: `app_${org}_${app}`,
      org,
      app,
      deleted: false,
      domains: [],
      access: { policy: "public" },
      limits: { memoryMb: 128, cpuMs: 1_000, timeoutMs: 30_000, bodyMb: 100, methods: [] },
      traffic: [{ version: number, weight: 100 }],
      sticky: "none",
      schema: {},
      versions: { ...before?.versions, [number]: version },
      ...change,
    };
    await this.#put(edge, "app", name, document);
    return artifact;
  }

  async organization(edge: Edge, org: string, change: Partial<OrganizationDocument>) {
    await this.#put(edge, "organization", org, { org, isolation: "org", keys: [], ...change });
  }

  async #put(edge: Edge, kind: SignedDocument["kind"], key: string, body: object) {
    this.#sequence += 1;
    const document = { kind, key, sequence: this.#sequence, body: JSON.stringify(body) };
    const signed = await signDocument(await channelKey(masterKey, "documents"), document);
    this.#documents.set(key, signed);
    await edge.apply([signed]);
  }

  async #receive(incoming: AsyncIterable<Buffer>, path: string): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
      records?: ExecutionRecord[];
      entries?: LogRecord[];
    };
    if (path === "/internal/executions") this.executions.push(...(body.records ?? []));
    if (path === "/internal/logs") this.logs.push(...(body.entries ?? []));
  }
}

function bundleOf(source: string): Uint8Array<ArrayBuffer> {
  return encodeBundle({
    runtime: "deno",
    main: "main.js",
    mustUnderstand: ["deno-namespace"],
    compatibilityDate: "2026-08-01",
    compatibilityFlags: [],
    modules: [{ name: "main.js", bytes: new TextEncoder().encode(source), meta: { type: "js" } }],
    assets: [],
    sourceMap: undefined,
  });
}
