/** Invokes apps for callers of the API, through the same front as everybody else. */
import { AccessPolicy } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { hostLabelOf } from "../../core/names.ts";
import type { CallContext } from "../context.ts";
import type { AppRow, Ports } from "../ports.ts";
import { type AppReference, getApp } from "./apps.ts";
import { accessOf, leadingVersion } from "./documents.ts";
import { invalidArgument } from "./failures.ts";
import { activeVersionOf, versionOf } from "./versions.ts";

/** A request for an app. */
export interface Invocation {
  app: AppReference;
  /** 0 means the one that traffic chooses. */
  version: number;
  /** Empty means GET, or POST with a body. */
  method: string;
  path: string;
  headers: readonly { name: string; value: string }[];
  body: Uint8Array<ArrayBuffer>;
}

/** What the app answered; the body may still be on its way. */
export interface Invoked {
  response: Response;
  executionId: string;
  version: number;
}

const BODILESS: ReadonlySet<string> = new Set(["GET", "HEAD"]);
const OURS = /^(?:host|connection|transfer-encoding|content-length|ignite-.*|x-forwarded-.*)$/;

/** Sends the request. Fails with NOT_FOUND or EDGE_UNAVAILABLE; what the app answers is a value. */
export async function invoke(
  context: CallContext,
  ports: Ports,
  invocation: Invocation,
): Promise<Invoked> {
  const app = await getApp(context, ports, invocation.app);
  const { version } = invocation;
  if (version !== 0) await versionOf(ports, app, version);
  const response = await ports.edge.invoke(await requestOf(context, ports, app, invocation));
  const requestId = response.headers.get("ignite-request-id") ?? "";
  const executionId = requestId === "" ? "" : `exe_${requestId}`;
  const chosen = Number(response.headers.get("ignite-version") ?? 0);
  return { response, executionId, version: version || chosen || activeVersionOf(app) };
}

async function requestOf(
  context: CallContext,
  ports: Ports,
  app: AppRow,
  { version, body, ...invocation }: Invocation,
): Promise<Request> {
  const label = hostLabelOf({ org: app.org, app: app.name }, version || undefined);
  const url = new URL(`http://${label}.${ports.domain}${invocation.path || "/"}`);
  const method = invocation.method.toUpperCase() || (body.length > 0 ? "POST" : "GET");
  if (BODILESS.has(method) && body.length > 0) {
    throw invalidArgument("request.body", `${method} has no body.`);
  }
  const headers = new Headers();
  for (const { name, value } of invocation.headers) {
    if (!OURS.test(name.toLowerCase())) headers.append(name, value);
  }
  if (!headers.has("authorization") && (await wantsKey(ports, app))) {
    headers.set("authorization", `Bearer ${context.credential}`);
  }
  headers.set("ignite-timing", "1"); // The answer names the version then
  const { signal } = context;
  return new Request(url, {
    method,
    headers,
    signal,
    redirect: "manual",
    ...(body.length > 0 && { body }),
  });
}

/** The caller's key goes only to a gateway that checks it, never to an app that did not ask. */
async function wantsKey(ports: Ports, app: AppRow): Promise<boolean> {
  const weighted = app.traffic.map(({ version }) => version);
  const { versions } = ports.stores;
  const reachable = await versions.listReachable(app.id, 1, weighted);
  return accessOf(app, leadingVersion(app, reachable))?.policy === AccessPolicy.KEY;
}
