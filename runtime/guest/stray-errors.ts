/** Errors that no invocation catches: rejections nobody handles, and throwing timer callbacks. */
import { describeFailure } from "./failure.ts";
import type { GuestLog } from "./log.ts";

type Callback = (...given: unknown[]) => unknown;
type Timer = (callback: Callback, delayMs?: number, ...given: unknown[]) => unknown;

/** Writes them to the app's log. workerd itself drops an error of a timer without a word. */
export function reportStrayErrors(write: GuestLog): void {
  const report = (prefix: string, thrown: unknown) => {
    const { message, stack } = describeFailure(thrown);
    write("error", `${prefix} ${message}`, stack);
  };
  addEventListener("unhandledrejection", ({ reason }) => report("Uncaught (in promise)", reason));
  const guarded =
    (callback: Callback): Callback =>
    (...given) => {
      try {
        return callback(...given);
      } catch (error) {
        return report("Uncaught", error);
      }
    };
  for (const name of ["setTimeout", "setInterval"] as const) {
    const native = globalThis[name] as unknown as Timer;
    const value: Timer = (callback, ...rest) =>
      native(typeof callback === "function" ? guarded(callback) : callback, ...rest);
    Object.defineProperty(value, "name", { value: name });
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}
