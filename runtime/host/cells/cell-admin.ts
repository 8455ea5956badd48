/** The supervisor's side of a cell's admin socket. */
import { Agent, request } from "undici";
import type { ExecutionRecord, SignedDocument, VersionDocument } from "../../../core/deployment.ts";
import { IgniteError } from "../../../core/errors.ts";

/** A request that runs in a cell. */
export interface InflightRequest {
  /** Execution id. */
  id: string;
  /** `org/app`. */
  app: string;
  version: number;
  startedMs: number;
}

/** What a cell says of itself. Asking takes the finished records out of it. */
export interface Pong {
  inflight: readonly InflightRequest[];
  records: readonly ExecutionRecord[];
  /** Records that it had no room for. */
  dropped: number;
  isolates: number;
}

/** A request made to a version before it is published. */
export interface TrialRequest {
  method: string;
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

/** How loading a version for the first time went. */
export type TrialResult =
  | { ok: true; loadMs: number; answers: readonly unknown[] }
  | { ok: false; reason: string; message: string; stack?: string };

/** One cell's admin interface. Methods reject with CELL_LOST when it does not answer in time. */
export interface CellAdmin {
  ping(timeoutMs: number): Promise<Pong>;
  pushDocuments(documents: readonly SignedDocument[], timeoutMs: number): Promise<void>;
  quarantine(trial: {
    app: string;
    version: VersionDocument;
    requests: readonly TrialRequest[];
    timeoutMs: number;
  }): Promise<TrialResult>;
  /** Says that no more requests will come; answers how many still run. */
  drain(): Promise<number>;
  close(): Promise<void>;
}

const DRAIN_TIMEOUT_MS = 1_000;

/** Reaches the admin socket at `socketPath`. */
export function cellAdmin(socketPath: string): CellAdmin {
  const dispatcher = new Agent({ connect: { socketPath }, connections: 4 });
  const call = async (method: "GET" | "POST", path: string, timeoutMs: number, body?: unknown) => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await request(`http://cell${path}`, {
        dispatcher,
        method,
        signal,
        body: body === undefined ? null : JSON.stringify(body),
      });
      const text = await response.body.text();
      if (response.statusCode >= 300)
        throw new Error(`${path} answered ${response.statusCode}: ${text}`);
      return text === "" ? undefined : (JSON.parse(text) as unknown);
    } catch (cause) {
      throw new IgniteError({
        code: "unavailable",
        reason: "CELL_LOST",
        message: "A cell does not answer its supervisor.",
        internal: cause instanceof Error ? cause.message : String(cause),
        cause,
      });
    }
  };
  return {
    ping: async (timeoutMs) => (await call("GET", "/ping", timeoutMs)) as Pong,
    async pushDocuments(documents, timeoutMs) {
      await call("POST", "/documents", timeoutMs, { documents });
    },
    async quarantine({ app, version, requests, timeoutMs }) {
      const body = { app, version, requests };
      return (await call("POST", "/quarantine", timeoutMs, body)) as TrialResult;
    },
    async drain() {
      const answer = await call("POST", "/drain", DRAIN_TIMEOUT_MS);
      return (answer as { inflight: number }).inflight;
    },
    close: () => dispatcher.destroy(),
  };
}
