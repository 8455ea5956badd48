/** What the middleware of this app share. */
import type { Context } from "hono";
import type { CallContext } from "../context.ts";
import { identify } from "../operations/authentication.ts";
import { type Permission, requirePermission } from "../operations/permissions.ts";
import type { Ports } from "../ports.ts";

/** Variables of a request. */
export interface AppEnvironment {
  Variables: {
    /** Names the request in answers, logs and the audit trail. */
    requestId: string;
  };
}

/** A request on its way through the app. */
export type AppContext = Context<AppEnvironment>;

/** Lets work outlive the answer; outside of a Worker it just runs. */
export function deferOf(context: AppContext): (work: Promise<unknown>) => void {
  return (work) => {
    try {
      context.executionCtx.waitUntil(work);
    } catch {
      work.catch(() => {}); // Hono throws where there is no execution context, as in tests
    }
  };
}

/**
 * Authenticates and authorizes a request that is no RPC; `action` says what it would do, as in
 * "read metrics". Fails as `admit` of RPCs does.
 */
export async function callOf(
  context: AppContext,
  ports: Ports,
  permission: Permission,
  action: string,
): Promise<CallContext> {
  const { headers, signal } = context.req.raw;
  const defer = deferOf(context);
  const caller = await identify(ports, headers, defer);
  requirePermission(caller.principal, permission, action);
  return { ...caller, signal, defer, requestId: context.get("requestId") };
}
