/**
 * The control Worker. This is the only file that reads bindings; it builds the ports once per
 * isolate. The default export is the public listener, `Internal` the one for the other planes.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { Hono } from "hono";
import { systemClock } from "../core/clock.ts";
import { signDocument } from "../core/deployment.ts";
import { jsonLog } from "../core/log.ts";
import { type Channel, type ChannelKey, channelKey } from "../core/plane-token.ts";
import { createInternalApp, createPublicApp } from "./app.ts";
import { blobClient } from "./clients/blobs.ts";
import { edgeClient } from "./clients/edge.ts";
import type { ChannelKeys, Fetcher as Target } from "./clients/http.ts";
import { regionClient } from "./clients/region.ts";
import type { AppEnvironment } from "./http/environment.ts";
import { ulidIds } from "./ids.ts";
import { Admission } from "./operations/admission.ts";
import type { Ports } from "./ports.ts";
import { databaseStores } from "./store/stores.ts";
import { sleep } from "./sleep.ts";
import { runTasks } from "./tasks/tasks.ts";

/** What the Worker is bound to. */
export interface Bindings {
  /** Database and blobs of this installation. */
  STORE: Target;
  REGION: Target;
  /** The edge host; without it cells learn of changes by polling. */
  EDGE?: Target;
  /** The public front, for invocations by RPC. */
  FRONT?: Target;
  CONFIG: Configuration;
  STORE_TOKEN: string;
  /** The installation's master key, 32 bytes in base64. */
  PLANE_KEY: string;
}

/** What is not secret. */
export interface Configuration {
  /** Host and port under which apps have their hosts. */
  domain: string;
  /** Address of the API. */
  publicUrl: string;
  /** Database of another place than STORE, such as `libsql://name.example`. */
  databaseUrl?: string;
  /** Origins whose pages may call the API; any when absent. */
  corsOrigins?: readonly string[];
  /** Whether anyone may read `/metrics`; only operators when absent. */
  openMetrics?: boolean;
}

/** What a control Worker is made of. */
export interface Control {
  ports: Ports;
  publicApp: Hono<AppEnvironment>;
  internalApp: Hono<AppEnvironment>;
}

const EMBEDDED_DATABASE = "http://store";
const encoder = new TextEncoder();
let running: Control | undefined;

export default {
  fetch: (request, env, context) => controlOf(env).publicApp.fetch(request, env, context),
  scheduled: (_event, env, context) => context.waitUntil(runTasks(controlOf(env).ports)),
} satisfies ExportedHandler<Bindings>;

/** The listener of the other planes. */
export class Internal extends WorkerEntrypoint<Bindings> {
  override fetch(request: Request): Response | Promise<Response> {
    return controlOf(this.env).internalApp.fetch(request, this.env, this.ctx);
  }
}

/** The control plane of this isolate, made at the first call. */
export function controlOf(env: Bindings): Control {
  running ??= createControl(env);
  return running;
}

function createControl(env: Bindings): Control {
  const { CONFIG: config } = env;
  const keys = channelKeys(env.PLANE_KEY);
  const ports = portsOf(env, keys);
  const { corsOrigins = ["*"], openMetrics = false } = config;
  return {
    ports,
    publicApp: createPublicApp(ports, { corsOrigins, openMetrics }),
    internalApp: createInternalApp(ports, () => keys("control")),
  };
}

function portsOf(env: Bindings, keys: ChannelKeys): Ports {
  const { domain, publicUrl, databaseUrl: url = EMBEDDED_DATABASE } = env.CONFIG;
  // biome-ignore lint/suspicious/noConsole: a Worker has no other way to write its log
  const log = jsonLog((line) => console.log(line), { plane: "control" });
  const { region, examine: examineRegion } = regionClient(env.REGION, keys);
  const authToken = env.STORE_TOKEN;
  const isEmbedded = url === EMBEDDED_DATABASE;
  return {
    stores: databaseStores({
      url,
      authToken,
      ...(isEmbedded && { fetch: (request: Request) => env.STORE.fetch(request) }),
    }),
    blobs: blobClient(env.STORE, authToken),
    edge: edgeClient({ edge: env.EDGE, front: env.FRONT, keys, log }),
    region,
    examineRegion,
    clock: systemClock,
    ids: ulidIds,
    admission: new Admission(),
    log,
    sign: async (document) => signDocument(await keys("documents"), document),
    async mac(text) {
      const mac = await crypto.subtle.sign("HMAC", await keys("control"), encoder.encode(text));
      return new Uint8Array(mac);
    },
    sleep,
    domain,
    publicUrl,
  };
}

/** Remembers keys, not promises: those belong to the request that made them. */
function channelKeys(masterKey: string): ChannelKeys {
  const known = new Map<Channel, ChannelKey>();
  const master = Uint8Array.from(atob(masterKey), (char) => char.charCodeAt(0));
  return async (channel) => {
    const key = known.get(channel) ?? (await channelKey(master, channel));
    known.set(channel, key);
    return key;
  };
}
