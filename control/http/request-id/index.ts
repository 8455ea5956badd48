/** Gives each request an id and writes it on each answer. */
import type { MiddlewareHandler } from "hono";
import type { AppEnvironment } from "../environment.ts";

const HEADER = "ignite-request-id";
const SHAPE = /^[0-9A-Za-z_-]{1,60}$/;

/**
 * Takes the id that the front set, or makes one.
 * @example app.use(requestId(() => ids.next()))
 */
export function requestId(next: () => string): MiddlewareHandler<AppEnvironment> {
  return async function requestIdMiddleware(context, proceed) {
    const given = context.req.header(HEADER) ?? "";
    const id = SHAPE.test(given) ? given : next();
    context.set("requestId", id);
    await proceed();
    context.header(HEADER, id);
  };
}
