/** The static files of a version, as its isolate reads them: `GET /{name}`. */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { IsolateProps } from "../../dispatch/ports.ts";
import type { AssetStore } from "./asset-store.ts";

/** Makes the entrypoint class over the cell's store. */
export function assetsEntrypoint(store: () => AssetStore) {
  return class Assets extends WorkerEntrypoint<unknown, IsolateProps> {
    override async fetch(request: Request): Promise<Response> {
      const { artifact } = this.ctx.props;
      const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
      const file = (await store().filesOf(artifact)).get(name);
      if (file === undefined) return new Response(null, { status: 404 });
      return new Response(await store().bytesOf(artifact, file));
    }
  };
}
