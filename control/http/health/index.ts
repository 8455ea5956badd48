/** Says whether the control plane lives, and whether it can work. */
import { Hono } from "hono";
import { checkHealth } from "../../operations/health.ts";
import type { Ports } from "../../ports.ts";
import type { AppEnvironment } from "../environment.ts";

/**
 * `/healthz` (it answers) and `/readyz` (503 without its store; other parts are only told).
 * @example app.route("/", health(ports))
 */
export function health(ports: Ports): Hono<AppEnvironment> {
  const app = new Hono<AppEnvironment>();
  app.get("/healthz", (context) => context.text("ok"));
  app.get("/readyz", async (context) => {
    const components = await checkHealth(ports);
    const isReady = components.every(({ name, isHealthy }) => isHealthy || name !== "store");
    return context.json({ ready: isReady, components }, isReady ? 200 : 503);
  });
  return app;
}
