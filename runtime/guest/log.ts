/**
 * The app's log: lines on the cell's stdout that start with the isolate's log token, which only
 * this closure knows. Written synchronously, so what came before a loop or a crash is kept.
 * Three bounds: a line's length, bytes per second, bytes per execution; what is cut is marked.
 */
import type { AsyncLocalStorage } from "node:async_hooks";
import {
  logBytesPerExecutionMax,
  logBytesPerSecondMax,
  logLineBytesMax,
} from "../../core/limits.ts";
import { headerOf, headersOf, nowMs, sliceText, toJson, writeLine } from "./natives.ts";

/** Levels of the app's own lines. */
export type GuestLogLevel = "debug" | "info" | "log" | "warn" | "error";

/** Writes one line of the app's log, of the current invocation unless another is named. */
export type GuestLog = (
  level: GuestLogLevel,
  message: string,
  stack?: string,
  request?: Request,
) => void;

const REQUEST_ID_LENGTH = 26; // The front appends the name of the cell

/** Follows the request of each invocation through its promises. */
export type InvocationStorage = AsyncLocalStorage<Request>;

/**
 * Which request a log line belongs to. Following a request through its promises costs a tenth of a
 * small invocation, so it is done only for apps whose code names the console; what others write (a
 * stray rejection, mostly) is theirs while the request is being called, and else nobody's.
 */
export class Invocations {
  readonly #storage: InvocationStorage | undefined;
  #called: Request | undefined;

  constructor(storage: InvocationStorage | undefined) {
    this.#storage = storage;
  }

  /** Runs `call` as the request's invocation. */
  run<Result>(request: Request, call: () => Result): Result {
    if (this.#storage !== undefined) return this.#storage.run(request, call);
    this.#called = request;
    try {
      return call();
    } finally {
      this.#called = undefined;
    }
  }

  /** The request that runs now, when that can be told. */
  current(): Request | undefined {
    return this.#storage === undefined ? this.#called : this.#storage.getStore();
  }
}

/** The log of one isolate. `token` is what its lines start with. */
export function guestLog(token: string, invocations: Invocations): GuestLog {
  const bytesOf = new WeakMap<Request, number>();
  let secondStartMs = 0;
  let secondBytes = 0;
  const admit = (request: Request | undefined, bytes: number): "yes" | "no" | "last" => {
    const now = nowMs();
    if (now - secondStartMs >= 1_000) {
      secondStartMs = now;
      secondBytes = 0;
    }
    const before = secondBytes;
    secondBytes += bytes;
    if (secondBytes > logBytesPerSecondMax) return before > logBytesPerSecondMax ? "no" : "last";
    if (request === undefined) return "yes";
    const used = bytesOf.get(request) ?? 0;
    bytesOf.set(request, used + bytes);
    if (used + bytes <= logBytesPerExecutionMax) return "yes";
    return used > logBytesPerExecutionMax ? "no" : "last";
  };
  return (level, message, stack, request = invocations.current()) => {
    // Whatever an app made of its language's functions, these are texts
    const text = cut(`${message}`);
    const stackText = stack === undefined ? undefined : cut(`${stack}`);
    const admitted = admit(request, text.length + (stackText?.length ?? 0));
    if (admitted === "no") return;
    const line =
      admitted === "yes"
        ? {
            t: "log",
            x: executionIdOf(request),
            l: level,
            m: text,
            s: stackText,
            at: nowMs(),
          }
        : { t: "log", x: executionIdOf(request), l: "warn", m: OVER_BUDGET, at: nowMs() };
    writeLine(`${token} ${toJson(line)}`);
  };
}

const OVER_BUDGET = "[ignite] Too much log output; lines are left out here.";

function cut(text: string): string {
  if (text.length <= logLineBytesMax) return text;
  const more = text.length - logLineBytesMax;
  return `${sliceText(text, 0, logLineBytesMax)}… [ignite: ${more} more]`;
}

/** The execution id of a request: `exe_` and the request id that the front made. */
function executionIdOf(request: Request | undefined): string | undefined {
  if (request === undefined) return undefined;
  const id = headerOf(headersOf(request), "ignite-request-id");
  return id === null ? undefined : `exe_${sliceText(id, 0, REQUEST_ID_LENGTH)}`;
}
