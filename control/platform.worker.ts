/**
 * The whole platform as one Worker, for `wrangler dev` and `wrangler deploy`: control and gateway
 * in the same isolate. The gateway reads documents and artifacts from control's stores directly,
 * and control pushes and tries versions in the gateway beside it. Other isolates of the same Worker
 * learn of changes by reading the feed, at most once a second.
 */
import { env as bindings, exports, WorkerEntrypoint, waitUntil } from "cloudflare:workers";
import type { AppDocument, SignedDocument } from "../core/deployment.ts";
import type { Digest } from "../core/ids.ts";
import { channelKey } from "../core/plane-token.ts";
import { AssetStore } from "../runtime/bindings/assets/asset-store.ts";
import { assetsEntrypoint } from "../runtime/bindings/assets/assets.worker.ts";
import { adminApp } from "../runtime/dispatch/admin.ts";
import { fallbackFront } from "../runtime/dispatch/fallback.ts";
import { createGateway } from "../runtime/dispatch/gateway.ts";
import type { AppQuery, IsolateProps, Origin } from "../runtime/dispatch/ports.ts";
import control, { type Bindings, controlOf } from "./main.ts";

/** What wrangler.toml binds. Secrets come from `.dev.vars` or `wrangler secret put`. */
export interface PlatformBindings {
  LOADER: WorkerLoader;
  /** Comes as text when a file of variables has it. */
  CONFIG: Bindings["CONFIG"] | string;
  STORE_TOKEN: string;
  PLANE_KEY: string;
  /** Address of the store: Hrana and blobs. */
  STORE_URL: string;
  /** Address of the regional daemon. */
  REGION_URL: string;
}

/** The loopback entrypoints that a context offers. */
interface PlatformExports {
  Egress(options: { props: IsolateProps }): Fetcher;
  Assets(options: { props: IsolateProps }): Fetcher;
}

const ISOLATES_MAX = 50; // 128 MiB for all of a Worker's isolates on Cloudflare
const REFRESH_MS = 1_000;
const FEED_PAGE = 500;

/** The context of whatever request runs, for what outlives a single one. */
const current = { waitUntil, exports, passThroughOnException() {} } as unknown as ExecutionContext;

const platform = bindings as unknown as PlatformBindings;
const documents = new Map<string, SignedDocument>();
let sequence = 0;
let refreshedMs = 0;

const origin: Origin = {
  async artifact(digest: Digest) {
    const { STORE_TOKEN, STORE_URL } = platform;
    const headers = { authorization: `Bearer ${STORE_TOKEN}` };
    const response = await fetch(`${STORE_URL}/blobs/${digest}`, { headers });
    if (!response.ok) throw new Error(`the store answered ${response.status} for ${digest}`);
    return response.arrayBuffer();
  },
  async findApp(query) {
    await refresh();
    const app = appOf(query);
    if (app === undefined) return [];
    const organization = documents.get(`organization ${app.key.split("/")[0]}`);
    return organization === undefined ? [app] : [app, organization];
  },
};

const assetStore = new AssetStore(origin);
const { CONFIG } = platform;
const config = typeof CONFIG === "string" ? (JSON.parse(CONFIG) as Bindings["CONFIG"]) : CONFIG;
const domain = new URL(`http://${config.domain}`).hostname;
const gateway = createGateway({
  domain,
  documentsKey: documentsKey(),
  token: "platform",
  loader: platform.LOADER,
  origin,
  capabilities: {
    egress: (context, props) => exportsOf(context).Egress({ props }),
    assets: (context, props) => exportsOf(context).Assets({ props }),
  },
  fetchKeySet: (_app, url) => fetch(url) as never,
  isolatesMax: ISOLATES_MAX,
});
const admin = adminApp(gateway);
const controlBindings = bindControl();
const front = fallbackFront(
  gateway,
  domain,
  {
    fetch: (request: Request) => control.fetch(request as never, controlBindings, current),
  } as never,
  // Set by Cloudflare, whatever the caller sent under that name
  ({ headers }) => headers.get("cf-connecting-ip") ?? "",
);

export default {
  fetch(request, _env, context) {
    context.waitUntil(refreshAtTimes());
    return front.fetch(request as never, context) as never;
  },
  scheduled: (event, _env, context) => control.scheduled(event, controlBindings, context),
} satisfies ExportedHandler<PlatformBindings>;

/** The network of the isolates: Cloudflare's own, which reaches no private address of ours. */
export class Egress extends WorkerEntrypoint<PlatformBindings, IsolateProps> {
  override fetch(request: Request): Promise<Response> {
    return fetch(request);
  }
}

/** The static files of the isolates. */
export const Assets = assetsEntrypoint(() => assetStore);

/** Control's bindings: the other planes by address, the edge by a call in this isolate. */
function bindControl(): Bindings {
  const { STORE_TOKEN, PLANE_KEY, STORE_URL, REGION_URL } = platform;
  const at = (base: string) => ({
    fetch: (request: Request) => {
      const { pathname, search } = new URL(request.url);
      return fetch(new Request(base + pathname + search, request));
    },
  });
  const planes = { STORE: at(STORE_URL), REGION: at(REGION_URL), EDGE: { fetch: edge } };
  return { ...planes, CONFIG: config, STORE_TOKEN, PLANE_KEY } as unknown as Bindings;
}

/** The edge host's interface, answered by the gateway beside. */
async function edge(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/v1/health") return Response.json({ ok: true });
  const path = pathname.slice("/v1".length);
  return admin.fetch(new Request(`http://admin${path}`, request), {}, current as never);
}

async function refreshAtTimes(): Promise<void> {
  if (Date.now() - refreshedMs < REFRESH_MS) return;
  refreshedMs = Date.now();
  await gateway.documents.apply(await refresh());
}

/** Reads what changed since the last time. */
async function refresh(): Promise<SignedDocument[]> {
  const { stores } = controlOf(controlBindings).ports;
  const changed: SignedDocument[] = [];
  for (let page = await stores.documents.list(sequence, FEED_PAGE); page.length > 0; ) {
    for (const document of page) {
      documents.set(`${document.kind} ${document.key}`, document);
      sequence = Math.max(sequence, document.sequence);
    }
    changed.push(...page);
    page = page.length < FEED_PAGE ? [] : await stores.documents.list(sequence, FEED_PAGE);
  }
  return changed;
}

function appOf(query: AppQuery): SignedDocument | undefined {
  if ("name" in query) return documents.get(`app ${query.name}`);
  return [...documents.values()].find(
    ({ kind, body }) =>
      kind === "app" && (JSON.parse(body) as AppDocument).domains.includes(query.host),
  );
}

function exportsOf(context: ExecutionContext): PlatformExports {
  return (context as unknown as { exports: PlatformExports }).exports;
}

function documentsKey() {
  const master = Uint8Array.from(atob(platform.PLANE_KEY), (char) => char.charCodeAt(0));
  return channelKey(master, "documents");
}
