/** Documents and artifacts from the edge host, over the cell's own socket. */
import type { SignedDocument } from "../../core/deployment.ts";
import { IgniteError } from "../../core/errors.ts";
import type { AppQuery, Origin } from "./ports.ts";

/** Reads from the binding `HOST`. */
export function hostOrigin(host: Fetcher): Origin {
  return {
    async artifact(digest, refetch) {
      const response = await host.fetch(
        `http://host/artifacts/${digest}${refetch ? "?refetch=1" : ""}`,
      );
      if (!response.ok) {
        await response.body?.cancel();
        throw new IgniteError({
          code: "unavailable",
          reason: "CONTROL_UNAVAILABLE",
          message: "The app's code cannot be fetched right now.",
          internal: `artifact ${digest}: the host answered ${response.status}`,
        });
      }
      return response.arrayBuffer();
    },
    async findApp(query: AppQuery) {
      const response = await host.fetch(`http://host/documents/app?${new URLSearchParams(query)}`);
      if (response.ok) {
        const { documents } = (await response.json()) as { documents: SignedDocument[] };
        return documents;
      }
      await response.body?.cancel();
      return [];
    },
  };
}
