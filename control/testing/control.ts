/**
 * A whole control plane in memory, for tests: real operations, routers and stores (the memory
 * twins), an edge and a region that do as they are told, and time that is moved by hand.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import type { DescService } from "@bufbuild/protobuf";
import { manualClock } from "../../core/clock.ts";
import { type SignedDocument, signDocument } from "../../core/deployment.ts";
import type { Digest } from "../../core/ids.ts";
import { silentLog } from "../../core/log.ts";
import { channelKey, planeTokenHeader, signPlaneToken } from "../../core/plane-token.ts";
import {
  type CompileResponse,
  CompileResponseSchema,
} from "../../proto/gen/ignite/v1/region_service_pb.ts";
import { createInternalApp, createPublicApp, type PublicOptions } from "../app.ts";
import { ulidIds } from "../ids.ts";
import { Admission } from "../operations/admission.ts";
import { sha256Hex } from "../operations/hash.ts";
import { bootstrap } from "../operations/organizations.ts";
import type {
  Blobs,
  CompilerStatus,
  Edge,
  Ports,
  QuarantineResult,
  SandboxStatus,
} from "../ports.ts";
import { sleep } from "../sleep.ts";
import { memoryStores } from "../store/memory/stores.ts";

/** Events that the region answers a compile with. */
export type CompileScript = (
  versionId: string,
) => readonly Exclude<MessageInitShape<typeof CompileResponseSchema>["event"], undefined>[];

/** What a test can look at and steer. */
export interface TestControl {
  ports: Ports;
  clock: ReturnType<typeof manualClock>;
  /** Text of the first key: owner of `local`, and operator. */
  key: string;
  /** Documents that were pushed, oldest first. */
  pushed: SignedDocument[];
  /** Bytes of blobs by digest. */
  blobs: Map<Digest, Uint8Array>;
  /** Replace these to change what the other planes do. */
  script: {
    compile: CompileScript;
    quarantine: () => QuarantineResult;
    front: Edge["invoke"];
    sandbox: SandboxStatus;
    compiler: CompilerStatus;
  };
  /** Versions that were given to the region. */
  compiled: string[];
  /** Sends a request to the public app. */
  fetch(path: string, init?: RequestInit & { key?: string }): Promise<Response>;
  /** Sends a request to the internal app, with a plane token unless told otherwise. */
  fetchInternal(path: string, init?: RequestInit & { token?: string }): Promise<Response>;
  /** A client of a service, by its own key unless another is given. */
  client<Service extends DescService>(service: Service, key?: string): Client<Service>;
  /** Uploads text as a blob. */
  upload(text: string): Promise<Digest>;
}

const ORIGIN = "http://localhost:8787";
const START_MS = Date.UTC(2026, 0, 1);
const master = new Uint8Array(32);

/** Makes one with the organization `local` and its first key. */
export async function testControl(options: Partial<PublicOptions> = {}): Promise<TestControl> {
  const clock = manualClock(START_MS);
  const pushed: SignedDocument[] = [];
  const compiled: string[] = [];
  const blobs = new Map<Digest, Uint8Array>();
  const script: TestControl["script"] = {
    compile: (versionId) => [
      { case: "log", value: { text: "bundled\n", sequence: 1n } },
      {
        case: "result",
        value: { artifactDigest: digestFor(versionId), sizeBytes: 10n, moduleCount: 1 },
      },
    ],
    quarantine: () => ({ ok: true, loadMs: 3, answers: [] }),
    front: async () => new Response("hello", { headers: { "ignite-request-id": "r1" } }),
    sandbox: { sandboxed: true, missing: [] },
    compiler: { state: "ready", sandboxed: true, why: "" },
  };
  const documentsKey = await channelKey(master, "documents");
  const controlKey = await channelKey(master, "control");
  const ports: Ports = {
    stores: memoryStores(),
    blobs: memoryBlobs(blobs),
    edge: {
      async push(documents) {
        pushed.push(...documents);
        return true;
      },
      quarantine: async () => script.quarantine(),
      invoke: (request) => script.front(request),
      sandbox: async () => script.sandbox,
      metrics: async () => "ignite_edge_cells 1\n",
    },
    region: {
      async *compile({ versionId = "" }): AsyncGenerator<CompileResponse> {
        compiled.push(versionId);
        for (const event of script.compile(versionId)) {
          yield create(CompileResponseSchema, { event } as MessageInitShape<
            typeof CompileResponseSchema
          >);
        }
      },
    } as Ports["region"],
    examineRegion: async () => script.compiler,
    clock,
    ids: ulidIds,
    admission: new Admission(),
    log: silentLog,
    sign: (document) => signDocument(documentsKey, document),
    async mac(text) {
      const bytes = new TextEncoder().encode(text);
      return new Uint8Array(await crypto.subtle.sign("HMAC", controlKey, bytes));
    },
    sleep: (_ms, signal) => sleep(1, signal),
    domain: "localhost:8787",
    publicUrl: ORIGIN,
  };
  const { key } = await bootstrap(ports, "local");
  if (key === null) throw new Error("the first organization exists already");
  const publicApp = createPublicApp(ports, { corsOrigins: ["*"], openMetrics: false, ...options });
  const internalApp = createInternalApp(ports, async () => controlKey);
  const control: TestControl = {
    ports,
    clock,
    key,
    pushed,
    blobs,
    script,
    compiled,
    async fetch(path, { key: credential = key, ...init } = {}) {
      const request = new Request(ORIGIN + path, init);
      if (credential !== "") request.headers.set("authorization", `Bearer ${credential}`);
      return publicApp.fetch(request);
    },
    async fetchInternal(path, { token, ...init } = {}) {
      const request = new Request(`http://control${path}`, init);
      const call = {
        aud: "control" as const,
        method: request.method,
        path: path.split("?")[0] ?? "",
      };
      const signed = token ?? (await signPlaneToken(controlKey, call, clock.nowMs()));
      request.headers.set(planeTokenHeader, signed);
      return internalApp.fetch(request);
    },
    client(service, credential = key) {
      const transport = createConnectTransport({
        baseUrl: ORIGIN,
        fetch: async (input, init) => {
          const request = new Request(input, init);
          if (credential !== "") request.headers.set("authorization", `Bearer ${credential}`);
          return publicApp.fetch(request);
        },
      });
      return createClient(service, transport);
    },
    async upload(text) {
      const digest = (await sha256Hex(text)) as Digest;
      const response = await control.fetch(`/blobs/${digest}`, { method: "PUT", body: text });
      if (!response.ok) throw new Error(await response.text());
      return digest;
    },
  };
  return control;
}

/** A digest that only this version has. */
function digestFor(versionId: string): string {
  const hex = Array.from(versionId, (char) => char.charCodeAt(0).toString(16)).join("");
  return hex.padEnd(64, "0").slice(-64);
}

function memoryBlobs(blobs: Map<Digest, Uint8Array>): Blobs {
  return {
    async forward(digest, request) {
      if (request.method === "PUT") {
        const bytes = new Uint8Array(await request.arrayBuffer());
        if ((await sha256Hex(bytes)) !== digest) return new Response(null, { status: 422 });
        const status = blobs.has(digest) ? 200 : 201;
        blobs.set(digest, bytes);
        return new Response(null, { status });
      }
      const bytes = blobs.get(digest);
      return bytes === undefined
        ? new Response(null, { status: 404 })
        : new Response(new Uint8Array(bytes));
    },
    has: async (digest) => blobs.has(digest),
    async delete(digest) {
      blobs.delete(digest);
    },
    list: async () => ({ digests: [...blobs.keys()], next: undefined }),
  };
}
