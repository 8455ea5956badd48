/**
 * What the other planes ask of control, on a listener of its own: documents and artifacts for the
 * edge, its reports, the first organization, keys instead of lost ones, and the periodic tasks.
 */
import { Hono } from "hono";
import type { ExecutionRecord, LogRecord } from "../../../core/deployment.ts";
import { IgniteError } from "../../../core/errors.ts";
import { type ChannelKey, planeTokenHeader, verifyPlaneToken } from "../../../core/plane-token.ts";
import { isDigest } from "../../../core/ids.ts";
import { invalidArgument, notFound } from "../../operations/failures.ts";
import { recordExecutions } from "../../operations/executions.ts";
import { recoverKey } from "../../operations/keys.ts";
import { type DroppedLines, recordLogs } from "../../operations/logs.ts";
import { bootstrap } from "../../operations/organizations.ts";
import type { Ports } from "../../ports.ts";
import { findTask } from "../../tasks/tasks.ts";
import type { AppEnvironment } from "../environment.ts";

const FEED_ITEMS_MAX = 1_000;
const FIRST_ORGANIZATION = "local";

/**
 * The internal routes. `key` answers the key of the control channel; each call carries a token.
 * @example app.route("/internal", internal(ports, key))
 */
export function internal(ports: Ports, key: () => Promise<ChannelKey>): Hono<AppEnvironment> {
  const app = new Hono<AppEnvironment>();
  app.use(async function planeToken(context, proceed) {
    const { method, path } = context.req;
    const token = context.req.header(planeTokenHeader) ?? null;
    const call = { aud: "control" as const, method, path };
    if (!(await verifyPlaneToken(await key(), token, call, ports.clock.nowMs()))) throw refused();
    await proceed();
  });
  app.get("/deployments", async (context) => {
    const after = Number(context.req.query("after") ?? 0);
    const limit = Math.min(Number(context.req.query("limit") || FEED_ITEMS_MAX), FEED_ITEMS_MAX);
    if (!Number.isSafeInteger(after)) throw invalidArgument("after", "it is not a sequence.");
    const items = await ports.stores.documents.list(after, limit);
    return context.json({ sequence: items.at(-1)?.sequence ?? after, items });
  });
  app.get("/artifacts/:digest", (context) => {
    const { digest } = context.req.param();
    if (!isDigest(digest)) throw notFound(`artifact "${digest}"`);
    return ports.blobs.forward(digest, context.req.raw);
  });
  app.post("/executions", async (context) => {
    const { records } = await context.req.json<{ records: ExecutionRecord[] }>();
    return context.json({ recorded: await recordExecutions(ports, records) });
  });
  app.post("/logs", async (context) => {
    const { boot, batch, entries } = await context.req.json<LogReport>();
    await recordLogs(ports, { boot, batch }, entries);
    return context.json({});
  });
  app.post("/bootstrap", async (context) =>
    context.json(await bootstrap(ports, FIRST_ORGANIZATION)),
  );
  app.post("/keys", async (context) => {
    const { org = FIRST_ORGANIZATION } = await context.req.json<{ org?: string }>();
    return context.json(await recoverKey(ports, org, org === FIRST_ORGANIZATION));
  });
  app.post("/tasks/:name", async (context) => {
    const { name } = context.req.param();
    const task = findTask(name);
    if (task === undefined) throw notFound(`task "${name}"`);
    return context.json({ changed: await task(ports) });
  });
  return app;
}

interface LogReport {
  boot: string;
  batch: number;
  entries: (LogRecord | DroppedLines)[];
}

function refused(): IgniteError {
  return new IgniteError({
    code: "unauthenticated",
    reason: "CREDENTIAL_INVALID",
    message: "The plane token is missing, old, or for another call.",
  });
}
