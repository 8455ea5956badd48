/** What the supervisor asks of its cell, on a socket of its own. See README.md for the routes. */
import { Hono } from "hono";
import type { SignedDocument, VersionDocument } from "../../core/deployment.ts";
import { IgniteError } from "../../core/errors.ts";
import type { Gateway } from "./gateway.ts";
import { problemResponse } from "./problem.ts";
import { quarantine, type TestRequest } from "./quarantine.ts";

/** The admin routes over a gateway. */
export function adminApp(gateway: Gateway): Hono {
  const app = new Hono();
  let draining = false;
  app.onError((caught) => {
    const error = IgniteError.from(caught);
    return problemResponse(error, "");
  });
  app.post("/documents", async (c) => {
    const { documents } = await c.req.json<{ documents: SignedDocument[] }>();
    const { applied, ignored } = await gateway.documents.apply(documents);
    const context = c.executionCtx as unknown as ExecutionContext;
    context.waitUntil(gateway.retire(applied, context));
    context.waitUntil(gateway.prefetch(applied));
    return c.json({ applied: documents.length - ignored, ignored });
  });
  app.get("/ping", (c) => {
    const { total, ...rest } = gateway.records.drain();
    const isolates = gateway.isolates.count;
    return c.json({ ...rest, isolates, draining, stats: { total, ...gateway.documents.size() } });
  });
  app.post("/quarantine", async (c) => {
    const body = await c.req.json<{
      app: string;
      version: VersionDocument;
      requests?: TestRequest[];
    }>();
    return c.json(
      await quarantine(gateway.isolates, body, c.executionCtx as unknown as ExecutionContext),
    );
  });
  app.post("/evict", async (c) => {
    const { app: key } = await c.req.json<{ app?: string }>();
    const context = c.executionCtx as unknown as ExecutionContext;
    const evicted = await gateway.isolates.evict(
      ({ props, running }) => (key === undefined ? running === 0 : props.app === key),
      context,
    );
    return c.json({ evicted });
  });
  app.post("/drain", (c) => {
    draining = true;
    return c.json({ inflight: gateway.records.running });
  });
  return app;
}
