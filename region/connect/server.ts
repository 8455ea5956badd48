/**
 * RegionService on a unix socket, Connect over HTTP/1.1, and `GET /healthz` with the compiler's
 * status. Every call carries a plane token for this very method and path, or is turned away before
 * anything is read.
 */
import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { Clock } from "../../core/clock.ts";
import { type Code as CodeName, IgniteError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { type ChannelKey, planeTokenHeader, verifyPlaneToken } from "../../core/plane-token.ts";
import { RegionService } from "../../proto/gen/ignite/v1/region_service_pb.ts";
import type { CompilerStatus } from "../compiler-status.ts";
import type { Compiles } from "../compiles.ts";
import { jobOf, responseOf } from "./messages.ts";

/** What the server is made of. */
export interface RegionServerOptions {
  socket: string;
  planeKey: ChannelKey;
  compiles: Compiles;
  compilerStatus(): CompilerStatus;
  clock: Clock;
  log: Log;
}

/** Starts listening; `close` ends all calls and removes the socket. */
export async function startRegionServer(
  options: RegionServerOptions,
): Promise<{ close(): Promise<void> }> {
  const handle = connectNodeAdapter({ routes: (router) => routes(router, options) });
  const server = createServer((request, response) => {
    isAllowed(request, options).then(
      (allowed) => {
        if (!allowed) return answer(response, 401, refusal);
        if (request.method !== "GET" || request.url !== "/healthz")
          return handle(request, response);
        answer(response, 200, { compiler: options.compilerStatus() });
      },
      () => response.destroy(),
    );
  });
  server.requestTimeout = 0; // Compiles stream for minutes
  await listen(server, options.socket);
  return {
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(options.socket, { force: true });
    },
  };
}

const refusal = {
  code: "unauthenticated",
  message: "The plane token is missing or not valid.",
};

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function routes(router: ConnectRouter, { compiles, log }: RegionServerOptions): void {
  router.service(RegionService, {
    async *compile(request, context) {
      const job = asConnect(() => jobOf(request));
      let sequence = 0n;
      const next = () => {
        sequence += 1n;
        return sequence;
      };
      for await (const event of compiles.events(job, context.signal)) {
        const error = event.kind === "error" ? IgniteError.from(event.error) : undefined;
        if (error !== undefined && !CALLERS_CODES.has(error.code)) {
          const { reason, internal, message } = error;
          log.error("a compile broke", { version: job.versionId, reason, message, internal });
        }
        yield responseOf(event, next);
      }
    },
  });
}

/** What tells a caller of their own source; whoever runs the machine has nothing to mend. */
const CALLERS_CODES: ReadonlySet<CodeName> = new Set([
  "canceled",
  "failed_precondition",
  "invalid_argument",
  "unimplemented",
]);

async function isAllowed(request: IncomingMessage, options: RegionServerOptions): Promise<boolean> {
  const token = request.headers[planeTokenHeader];
  const call = {
    aud: "region" as const,
    method: request.method ?? "",
    path: (request.url ?? "").split("?")[0] ?? "",
  };
  const text = typeof token === "string" ? token : null;
  return verifyPlaneToken(options.planeKey, text, call, options.clock.nowMs());
}

/** A socket file that a crash left behind would make listening fail. */
async function listen(server: Server, socket: string): Promise<void> {
  await rm(socket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, resolve);
  });
  await chmod(socket, 0o600);
}

function asConnect<Out>(action: () => Out): Out {
  try {
    return action();
  } catch (error) {
    const { code, message } = IgniteError.from(error);
    throw new ConnectError(message, CODES[code]);
  }
}

const CODES: Readonly<Record<CodeName, Code>> = {
  canceled: Code.Canceled,
  unknown: Code.Unknown,
  invalid_argument: Code.InvalidArgument,
  deadline_exceeded: Code.DeadlineExceeded,
  not_found: Code.NotFound,
  already_exists: Code.AlreadyExists,
  permission_denied: Code.PermissionDenied,
  resource_exhausted: Code.ResourceExhausted,
  failed_precondition: Code.FailedPrecondition,
  aborted: Code.Aborted,
  out_of_range: Code.OutOfRange,
  unimplemented: Code.Unimplemented,
  internal: Code.Internal,
  unavailable: Code.Unavailable,
  data_loss: Code.DataLoss,
  unauthenticated: Code.Unauthenticated,
};
