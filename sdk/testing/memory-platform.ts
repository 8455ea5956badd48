/**
 * A platform in memory: enough of the API, kept as plain state, for the SDK and the command line
 * to be tested through the wire. A published app answers with its version, method, path and body.
 */
import { Code, ConnectError, createConnectRouter } from "@connectrpc/connect";
import {
  type UniversalHandler,
  universalServerRequestFromFetch,
  universalServerResponseToFetch,
} from "@connectrpc/connect/protocol";
import { AdminService } from "../../proto/gen/ignite/v1/admin_service_pb.ts";
import { BuildService } from "../../proto/gen/ignite/v1/build_service_pb.ts";
import { ComputeService } from "../../proto/gen/ignite/v1/compute_service_pb.ts";
import { ExecutionStatus } from "../../proto/gen/ignite/v1/ignite_common_pb.ts";
import { KeyService } from "../../proto/gen/ignite/v1/key_service_pb.ts";
import { SecretService } from "../../proto/gen/ignite/v1/secret_service_pb.ts";
import { digestOf } from "../archive.ts";
import { computeRoutes } from "./memory-compute.ts";
import { executionRoutes } from "./memory-execution.ts";
import { keyRoutes, secretRoutes } from "./memory-organization.ts";
import { MemoryState } from "./memory-state.ts";

/** The platform: what it knows, and its front door. */
export interface MemoryPlatform {
  state: MemoryState;
  /** Takes a request as `fetch` does; anything under `state.url`. */
  fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
}

/** The only key that the platform knows; its organization is `acme`. */
export const memoryKey = "igk_test";

/** A platform without apps. */
export function memoryPlatform(): MemoryPlatform {
  const state = new MemoryState();
  const router = createConnectRouter();
  const authorize = (header: Headers) => {
    if (header.get("authorization") === `Bearer ${memoryKey}`) return;
    throw new ConnectError("The API key is missing or wrong.", Code.Unauthenticated);
  };
  router.service(ComputeService, { ...computeRoutes(state, authorize), ...executionRoutes(state) });
  router.service(KeyService, keyRoutes(authorize));
  router.service(AdminService, {
    listOrganizations() {
      throw new ConnectError("The key is no operator's.", Code.PermissionDenied);
    },
  });
  router.service(BuildService, {
    listBuilds() {
      const metadata = { "ignite-reason": "NOT_IMPLEMENTED" };
      throw new ConnectError("It is not part of this release.", Code.Unimplemented, metadata);
    },
  });
  router.service(SecretService, secretRoutes(state, authorize));
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const serve = (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (pathname === "/healthz" || pathname === "/readyz") return Promise.resolve(new Response());
    if (pathname.startsWith("/blobs/")) return serveBlob(state, request);
    if (pathname.startsWith("/@")) return serveApp(state, request);
    if (pathname.startsWith("/executions/")) return Promise.resolve(new Response("done"));
    return serveCall(handlers.get(pathname), request);
  };
  return { state, fetch: (input, init) => serve(new Request(input, init)) };
}

async function serveCall(
  handler: UniversalHandler | undefined,
  request: Request,
): Promise<Response> {
  if (handler === undefined) return new Response(null, { status: 404 });
  const answer = await handler(universalServerRequestFromFetch(request, {}));
  return universalServerResponseToFetch(answer);
}

async function serveBlob(state: MemoryState, request: Request): Promise<Response> {
  const digest = new URL(request.url).pathname.slice("/blobs/".length);
  state.calls.push(`${request.method} /blobs`);
  if (request.method === "HEAD") {
    return new Response(null, { status: state.blobs.has(digest) ? 200 : 404 });
  }
  const bytes = new Uint8Array(await request.arrayBuffer());
  if ((await digestOf(bytes)) !== digest) return new Response(null, { status: 422 });
  const status = state.blobs.has(digest) ? 200 : 201;
  state.blobs.set(digest, bytes);
  return new Response(null, { status });
}

async function serveApp(state: MemoryState, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const [, org = "", name = "", ...rest] = pathname.split("/");
  const version = state.apps.get(`${org.slice(1)}/${name}`)?.traffic[0]?.version;
  if (version === undefined) {
    const problem = { reason: "APP_NOT_FOUND", detail: "No app answers here.", instance: "req_1" };
    const headers = { "content-type": "application/problem+json" };
    return new Response(JSON.stringify(problem), { status: 404, headers });
  }
  if (request.headers.get("prefer") === "respond-async" && !pathname.endsWith("/at-once")) {
    const headers = { location: "/executions/exe_1" };
    state.executions.set("exe_1", ExecutionStatus.QUEUED);
    return new Response(null, { status: 202, headers });
  }
  const body = await request.text();
  return new Response(`v${version} ${request.method} /${rest.join("/")}${search} ${body}\n`, {
    headers: { "ignite-request-id": "req_2" },
  });
}
