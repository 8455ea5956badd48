/** Cuts `waitUntil` work at its limit: workerd itself would let it run for ever. */
import { waitUntilMsMax } from "../../core/limits.ts";

let capped = false;

/** Caps the method for all of the isolate's contexts, from the first one that is seen. */
export function capWaitUntil(context: ExecutionContext): void {
  if (capped) return;
  capped = true;
  const prototype = Object.getPrototypeOf(context) as ExecutionContext;
  const native = prototype.waitUntil;
  const limited = function waitUntil(this: ExecutionContext, work: Promise<unknown>): void {
    const limit = new Promise((resolve) => setTimeout(resolve, waitUntilMsMax));
    native.call(this, Promise.race([work, limit]));
  };
  Object.defineProperty(prototype, "waitUntil", {
    value: limited,
    writable: true,
    configurable: true,
  });
}
