/** The edge host, over its own interface; and the public front, as a caller outside sees it. */
import type { Log } from "../../core/log.ts";
import type { Edge, QuarantineResult, SandboxStatus } from "../ports.ts";
import { type ChannelKeys, type Fetcher, fetchPlane, unavailable } from "./http.ts";

/** What an edge is reached by. Without `edge`, cells learn of changes by polling only. */
export interface EdgeOptions {
  edge: Fetcher | undefined;
  front: Fetcher | undefined;
  keys: ChannelKeys;
  log: Log;
}

const PUSH_TIMEOUT_MS = 2_000; // The commit stands; a cell that is late polls
const QUARANTINE_TIMEOUT_MS = 60_000; // Includes up to 32 test requests
const PING_TIMEOUT_MS = 2_000;
const LOADED_TTL_MS = 60_000; // A deploy tests a version and publishes it right after
const LOADED_MAX = 1_000;

/** Makes the client. */
export function edgeClient({ edge, front, keys, log }: EdgeOptions): Edge {
  const call = async (path: string, timeoutMs: number, body?: unknown): Promise<unknown> => {
    if (edge === undefined) throw edgeUnavailable("there is no edge binding");
    const signal = AbortSignal.timeout(timeoutMs);
    const init =
      body === undefined
        ? { signal }
        : {
            signal,
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
          };
    const target = { fetcher: edge, channel: "edge" as const, keys };
    try {
      const response = await fetchPlane(target, new Request(`http://edge${path}`, init));
      if (!response.ok) throw new Error(`${path} answered ${response.status}`);
      return await response.json();
    } catch (caught) {
      throw edgeUnavailable(caught);
    }
  };
  const loaded = new Map<string, { result: QuarantineResult; atMs: number }>();
  return {
    async push(documents) {
      try {
        await call("/v1/documents", PUSH_TIMEOUT_MS, { documents });
        return true;
      } catch (caught) {
        log.warn("documents were not pushed", { error: String(caught), count: documents.length });
        return false;
      }
    },
    async quarantine(trial) {
      const { versionId } = trial.version;
      const known = trial.requests.length === 0 ? loaded.get(versionId) : undefined;
      if (known !== undefined && Date.now() - known.atMs < LOADED_TTL_MS) return known.result;
      const answer = await call("/v1/quarantine", QUARANTINE_TIMEOUT_MS, trial);
      const result = answer as QuarantineResult;
      if (!result.ok) return { ...result, stack: result.stack ?? "" };
      if (loaded.size >= LOADED_MAX) loaded.clear();
      loaded.set(versionId, { result: { ...result, answers: [] }, atMs: Date.now() });
      return result;
    },
    async invoke(request) {
      if (front === undefined) throw edgeUnavailable("there is no front binding");
      return front.fetch(request).catch((caught: unknown) => {
        throw edgeUnavailable(caught);
      });
    },
    async sandbox() {
      return ((await call("/v1/health", PING_TIMEOUT_MS)) as { sandbox: SandboxStatus }).sandbox;
    },
    async metrics() {
      return ((await call("/v1/metrics", PING_TIMEOUT_MS)) as { text: string }).text;
    },
  };
}

function edgeUnavailable(cause: unknown) {
  return unavailable("EDGE_UNAVAILABLE", "The edge does not answer.", cause);
}
