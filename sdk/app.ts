/** An app: plain HTTP in and a standard Response out, and what it left behind. */
import type { Execution as ExecutionState } from "../proto/gen/ignite/v1/execution_pb.ts";
import type { Version } from "../proto/gen/ignite/v1/version_pb.ts";
import { computeClient } from "./clients/compute.ts";
import { errorOfResponse, IgniteApiError } from "./errors.ts";
import { type Execution, executionOf } from "./execution.ts";
import {
  type ExecutionFilter,
  executionsOf,
  type LogEvent,
  type LogOptions,
  logsOf,
  type VersionFilter,
  versionsOf,
} from "./history.ts";
import { splitName } from "./names.ts";
import { type Connection, request } from "./connection.ts";
import { transportOf } from "./transport.ts";

/** How an app is addressed. */
export interface AppOptions {
  /**
   * `path`: `/@org/app/…`, which needs no wildcard DNS. `host`: `{app}--{org}.{domain}`, which
   * gives the app a web origin of its own. Default `path`.
   */
  address?: "path" | "host";
  /** Calls this version whatever the traffic; implies `host`. */
  version?: number;
}

/** What {@link App.enqueue} takes besides a request's own options. */
export interface EnqueueInit extends RequestInit {
  /** The same key within 24 hours answers with the same execution. */
  idempotencyKey?: string;
}

/** An app that can be called and looked at. */
export interface App {
  /** Full name, `org/app`. */
  readonly name: string;
  /** The address of a path of the app. */
  urlOf(path?: string): string;
  /**
   * Sends a request and answers the app's response, whatever its status. Fails with
   * CONTROL_UNAVAILABLE when nothing answers.
   */
  fetch(path?: string, init?: RequestInit): Promise<Response>;
  /**
   * Queues a request; it is durable once this answers. Not in this release: fails with
   * NOT_IMPLEMENTED before the app runs.
   */
  enqueue(path: string, init?: EnqueueInit): Promise<Execution>;
  /** Its log, oldest line first; leaving the loop ends the call. */
  logs(options?: LogOptions): AsyncIterable<LogEvent>;
  /** Its executions, newest first. */
  executions(filter?: ExecutionFilter): AsyncIterable<ExecutionState>;
  /** Its versions, newest first. */
  versions(filter?: VersionFilter): AsyncIterable<Version>;
}

/** An app on a connection. Throws a TypeError when the name is not `org/app`. */
export function appOf(connection: Connection, name: string, options: AppOptions = {}): App {
  const fullName = name.includes("/") || !connection.org ? name : `${connection.org}/${name}`;
  const base = baseOf(connection, fullName, options);
  const urlOf = (path = "/") => base + (path.startsWith("/") ? path : `/${path}`);
  const send = sender(connection, splitName(fullName).org, urlOf);
  const compute = () => computeClient(transportOf(connection));
  return {
    name: fullName,
    urlOf,
    fetch: (path = "/", init = {}) => send(path, init),
    async enqueue(path, { idempotencyKey, ...init } = {}) {
      const headers = new Headers(init.headers);
      headers.set("prefer", "respond-async");
      if (idempotencyKey !== undefined) headers.set("idempotency-key", idempotencyKey);
      const method = init.method ?? "POST";
      const response = await send(path, { ...init, method, headers });
      if (response.status !== 202) throw await notQueued(response);
      await response.body?.cancel();
      return executionOf(connection, idOf(response));
    },
    logs: (options = {}) => logsOf(compute(), fullName, options),
    executions: (filter = {}) => executionsOf(compute(), fullName, filter),
    versions: (filter = {}) => versionsOf(compute(), fullName, filter),
  };
}

/**
 * Sends requests to one app. An app may see what it is sent, so the key goes only to apps of its
 * own organization, and only once one has asked for a credential.
 */
function sender(connection: Connection, org: string, urlOf: (path: string) => string) {
  const mayHaveKey = connection.org === undefined || connection.org === org;
  let wantsKey = false;
  return async (path: string, init: RequestInit): Promise<Response> => {
    const url = urlOf(path);
    const target = { ...connection, url: new URL(url).origin };
    const rest = url.slice(target.url.length);
    const once = init.body instanceof ReadableStream; // It cannot be sent again
    if (mayHaveKey && (wantsKey || once)) return request(target, rest, init);
    const response = await request({ ...target, key: undefined }, rest, init);
    wantsKey = mayHaveKey && connection.key !== undefined && (await asksForKey(response));
    if (!wantsKey) return response;
    await response.body?.cancel();
    return request(target, rest, init);
  };
}

/** Whether the gateway, not the app, refused a call for want of a credential. */
async function asksForKey(response: Response): Promise<boolean> {
  if (response.status !== 401 || !isProblem(response)) return false;
  const { reason } = await errorOfResponse(response.clone());
  return reason === "CREDENTIAL_MISSING";
}

function isProblem(response: Response): boolean {
  return response.headers.get("content-type")?.startsWith("application/problem+json") === true;
}

function baseOf(connection: Connection, fullName: string, options: AppOptions): string {
  const { org, name } = splitName(fullName);
  if (options.version === undefined && options.address !== "host") {
    return `${connection.url}/@${org}/${name}`;
  }
  const url = new URL(connection.url);
  const version = options.version === undefined ? "" : `v${options.version}--`;
  return `${url.protocol}//${version}${name}--${org}.${url.host}`;
}

function idOf(response: Response): string {
  const id = /\/executions\/([^/?]+)$/.exec(response.headers.get("location") ?? "")?.[1];
  if (id !== undefined) return id;
  throw new IgniteApiError({
    code: "internal",
    reason: "INTERNAL",
    message: "The platform queued the request and did not say which execution it is.",
  });
}

/** Any answer but 202: a problem of the platform's own, or the app's because it ran at once. */
async function notQueued(response: Response): Promise<IgniteApiError> {
  if (isProblem(response)) return errorOfResponse(response);
  await response.body?.cancel();
  return new IgniteApiError({
    code: "unimplemented",
    reason: "NOT_IMPLEMENTED",
    message: "The platform ran the request at once; it does not queue requests.",
    requestId: response.headers.get("ignite-request-id") ?? undefined,
  });
}
