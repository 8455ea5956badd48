/** The Worker that a cell process runs: the gateway on one socket, the supervisor's on another. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { env } from "cloudflare:workers";
import { fromBase64Url } from "../../core/plane-token.ts";
import { AssetStore } from "../bindings/assets/asset-store.ts";
import { assetsEntrypoint } from "../bindings/assets/assets.worker.ts";
import { egressEntrypoint, egressRequest } from "../bindings/egress/egress.worker.ts";
import { adminApp } from "./admin.ts";
import type { CellConfig } from "./config.ts";
import { fallbackFront } from "./fallback.ts";
import { createGateway } from "./gateway.ts";
import { hostOrigin } from "./host-origin.ts";
import type { IsolateProps } from "./ports.ts";

const ISOLATES_MAX = 200;

const { CELL, LOADER, HOST, EGRESS, CONTROL } = env as unknown as CellEnv;
const origin = hostOrigin(HOST);
const assetStore = new AssetStore(origin);

/** The bindings of the cell's Worker. */
interface CellEnv {
  CELL: CellConfig;
  LOADER: WorkerLoader;
  HOST: Fetcher;
  EGRESS: Fetcher;
  CONTROL?: Fetcher;
}

/** The loopback entrypoints that a context offers. */
interface CellExports {
  Egress(options: { props: IsolateProps }): Fetcher;
  Assets(options: { props: IsolateProps }): Fetcher;
}

const gateway = createGateway({
  domain: CELL.domain,
  documentsKey: documentsKey(CELL.documentsKey),
  token: CELL.token,
  loader: LOADER,
  origin,
  capabilities: {
    egress: (context, props) => exportsOf(context).Egress({ props }),
    assets: (context, props) => exportsOf(context).Assets({ props }),
  },
  fetchKeySet: (app, url) =>
    EGRESS.fetch(egressRequest(new Request(url), { app: app.key, version: 0, hops: 0 })),
  isolatesMax: CELL.isolatesMax ?? ISOLATES_MAX,
});

const admin = adminApp(gateway);
const front = CELL.fallback ? fallbackFront(gateway, CELL.domain, CONTROL) : gateway;

export default {
  fetch: (request, _env, context) => front.fetch(request as unknown as Request, context),
} satisfies ExportedHandler<CellEnv>;

/** The supervisor's side. */
export class Admin extends WorkerEntrypoint {
  override async fetch(request: Request): Promise<Response> {
    return admin.fetch(request, this.env, this.ctx);
  }
}

/** The network of the isolates. */
export const Egress = egressEntrypoint(({ isolate }) => gateway.callOut(isolate) + 1);

/** The static files of the isolates. */
export const Assets = assetsEntrypoint(() => assetStore);

function exportsOf(context: ExecutionContext): CellExports {
  return (context as unknown as { exports: CellExports }).exports;
}

function documentsKey(text: string): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", fromBase64Url(text), algorithm, false, ["verify"]);
}
