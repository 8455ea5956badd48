/** The two Hono apps of the control plane: order of middleware and mounts, nothing else. */
import { Hono } from "hono";
import type { ChannelKey } from "../core/plane-token.ts";
import { blobs } from "./http/blobs/index.ts";
import { browserAccess } from "./http/cors/index.ts";
import { docs } from "./http/docs/index.ts";
import { type AppEnvironment, callOf, deferOf } from "./http/environment.ts";
import { executions } from "./http/executions/index.ts";
import { health } from "./http/health/index.ts";
import { internal } from "./http/internal/index.ts";
import { RequestMetrics } from "./http/metrics/index.ts";
import { problems, unknownPath } from "./http/problems/index.ts";
import { requestId } from "./http/request-id/index.ts";
import { newRequestId } from "./ids.ts";
import type { Ports } from "./ports.ts";
import { createRpcHandler } from "./rpc/router.ts";

/** What of the public app an installation chooses. */
export interface PublicOptions {
  /** Origins whose pages may call it. */
  corsOrigins: readonly string[];
  /** Whether counters are for anyone, and not only for operators. */
  openMetrics: boolean;
}

/** The app that callers of the API reach. */
export function createPublicApp(
  ports: Ports,
  { corsOrigins, openMetrics }: PublicOptions,
): Hono<AppEnvironment> {
  const metrics = new RequestMetrics(ports.clock);
  const rpc = createRpcHandler(ports);
  const app = base(ports);
  app.use(metrics.count());
  app.use(browserAccess(corsOrigins));
  app.use(async function serveRpc(context, proceed) {
    const scope = { requestId: context.get("requestId"), defer: deferOf(context) };
    const answer = rpc(context.req.raw, scope);
    if (answer === undefined) return proceed();
    context.res = await answer;
  });
  app.route("/", health(ports));
  app.route("/", docs());
  app.route("/blobs", blobs(ports));
  app.route("/executions", executions(ports));
  app.get("/metrics", async (context) => {
    if (!openMetrics) await callOf(context, ports, "operate", "read metrics");
    return context.text(await allMetrics(metrics, ports));
  });
  return app;
}

/** The app that the other planes reach, on a listener of its own. */
export function createInternalApp(
  ports: Ports,
  key: () => Promise<ChannelKey>,
): Hono<AppEnvironment> {
  const app = base(ports);
  app.route("/", health(ports));
  app.route("/internal", internal(ports, key));
  return app;
}

/** Control's counters, and the edge's while it answers. */
async function allMetrics(metrics: RequestMetrics, { edge }: Ports): Promise<string> {
  return metrics.toString() + (await edge.metrics().catch(() => ""));
}

function base({ log }: Ports): Hono<AppEnvironment> {
  const app = new Hono<AppEnvironment>();
  app.use(requestId(newRequestId));
  app.onError(problems(log));
  app.notFound(unknownPath);
  return app;
}
