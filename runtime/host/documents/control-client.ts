/** How the edge reaches control: over its internal socket, with plane tokens. */
import type { Readable } from "node:stream";
import { Agent, request } from "undici";
import type { Clock } from "../../../core/clock.ts";
import type { SignedDocument } from "../../../core/deployment.ts";
import { IgniteError } from "../../../core/errors.ts";
import type { Digest } from "../../../core/ids.ts";
import { type ChannelKey, planeTokenHeader, signPlaneToken } from "../../../core/plane-token.ts";

/** Control's internal interface. Every method may fail with CONTROL_UNAVAILABLE. */
export interface ControlClient {
  /** Documents that changed after `sequence`, oldest first. */
  deployments(after: number): Promise<{ sequence: number; items: SignedDocument[] }>;
  /** Fails with NOT_FOUND when control does not have it. */
  artifact(digest: Digest): Promise<Readable>;
  /** Sends a batch; `path` is the collection's. */
  post(path: string, body: unknown): Promise<void>;
  close(): Promise<void>;
}

const PAGE_SIZE = 500;
const TIMEOUT_MS = 10_000;

/** A client of the control plane behind a unix socket. */
export function controlClient(options: {
  socketPath: string;
  key: ChannelKey;
  clock: Clock;
}): ControlClient {
  const { socketPath, key, clock } = options;
  const dispatcher = new Agent({
    connect: { socketPath, timeout: 2_000 },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  const send = async (method: "GET" | "POST", path: string, query = "", body?: string) => {
    const token = await signPlaneToken(key, { aud: "control", method, path }, clock.nowMs());
    const headers: Record<string, string> = { [planeTokenHeader]: token };
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await request(`http://control${path}${query}`, {
      dispatcher,
      method,
      headers,
      body: body ?? null,
    }).catch((cause: unknown) => {
      throw unavailable(String(cause), cause);
    });
    if (response.statusCode < 300) return response.body;
    await response.body.dump();
    if (response.statusCode === 404) throw notFound(path);
    const what = `${method} ${path} answered ${response.statusCode}`;
    throw response.statusCode === 503 ? unavailable(what) : refused(what);
  };
  return {
    async deployments(after) {
      const query = `?after=${after}&limit=${PAGE_SIZE}`;
      const body = await send("GET", "/internal/deployments", query);
      return (await body.json()) as { sequence: number; items: SignedDocument[] };
    },
    artifact: (digest) => send("GET", `/internal/artifacts/${digest}`),
    async post(path, body) {
      await (await send("POST", path, "", JSON.stringify(body))).dump();
    },
    close: () => dispatcher.destroy(),
  };
}

function unavailable(internal: string, cause?: unknown): IgniteError {
  return new IgniteError({
    code: "unavailable",
    reason: "CONTROL_UNAVAILABLE",
    message: "The control plane does not answer.",
    internal,
    cause,
  });
}

function refused(internal: string): IgniteError {
  return new IgniteError({
    code: "internal",
    reason: "INTERNAL",
    message: "The control plane refused what the edge sent.",
    internal,
  });
}

function notFound(path: string): IgniteError {
  return new IgniteError({
    code: "not_found",
    reason: "NOT_FOUND",
    message: "The control plane does not have it.",
    internal: path,
  });
}
