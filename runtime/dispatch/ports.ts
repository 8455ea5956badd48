/**
 * What the gateway needs of the world around it; `cell.worker.ts` and local development fill it.
 */
import type { SignedDocument } from "../../core/deployment.ts";
import type { Digest } from "../../core/ids.ts";

/** Where documents and artifacts come from. */
export interface Origin {
  /**
   * The bytes of an artifact, not yet verified; `refetch` bypasses caches that gave wrong bytes.
   * Fails with CONTROL_UNAVAILABLE when nobody has it.
   */
  artifact(digest: Digest, refetch: boolean): Promise<ArrayBuffer>;
  /** The newest documents of an app and its organization, or none. */
  findApp(query: AppQuery): Promise<readonly SignedDocument[]>;
}

/** By custom domain, or by `org/app`. */
export type AppQuery = { host: string } | { name: string };

/** Which isolate acts, told to the entrypoints that serve it. */
export interface IsolateProps {
  /** `org/app`. */
  app: string;
  org: string;
  version: number;
  artifact: Digest;
  /** The isolate's id in the loader. */
  isolate: string;
}

/** Makes the entrypoints that an isolate reaches the world through, for the request's context. */
export interface Capabilities {
  /** The network as the isolate sees it. */
  egress(context: ExecutionContext, props: IsolateProps): Fetcher;
  /** The static files of the isolate's version. */
  assets(context: ExecutionContext, props: IsolateProps): Fetcher;
}
