/** The caller of an RPC: found by its key before the body is read, then handed to the handler. */
import { type ContextKey, createContextKey, type HandlerContext } from "@connectrpc/connect";
import { assert } from "../../core/assert.ts";
import type { CallContext } from "../context.ts";
import { identify } from "../operations/authentication.ts";
import { authorize } from "../operations/permissions.ts";
import type { Ports } from "../ports.ts";

/** What is known of a call before its key is looked at. */
export interface CallScope {
  requestId: string;
  defer(work: Promise<unknown>): void;
}

/** Set by whoever hands a request to the router. */
export const callScope: ContextKey<CallScope> = createContextKey<CallScope>({
  requestId: "",
  defer() {},
});

const callContext = createContextKey<CallContext | undefined>(undefined);

/**
 * Authenticates and authorizes a call. Fails as {@link identify} does, and with
 * PERMISSION_DENIED.
 */
export async function admit(ports: Ports, context: HandlerContext): Promise<void> {
  const scope = context.values.get(callScope);
  const caller = await identify(ports, context.requestHeader, scope.defer);
  authorize(caller.principal, `${context.service.typeName}/${context.method.name}`);
  context.values.set(callContext, { ...scope, ...caller, signal: context.signal });
}

/** The context of an admitted call. */
export function callOf(context: HandlerContext): CallContext {
  const call = context.values.get(callContext);
  assert(call !== undefined, "the call was admitted");
  return call;
}
