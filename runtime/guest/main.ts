/**
 * What runs in an isolate before and around the app's own code. The gateway writes a small main
 * module per isolate (see dispatch/guest-module.ts) that calls {@link boot} and then imports the
 * app. Nothing here is secret but the log token, which stays in a closure. Every cold start pays
 * for what is done here: modules of the engine are imported only when they are needed.
 */
import { installConsole } from "./console.ts";
import type { GuestFiles } from "./deno/files.ts";
import type { InstallDeno } from "./deno/namespace.ts";
import { findHandler, type GuestHandler, notResponse, type UserModule } from "./handler.ts";
import { inspect } from "./inspect.ts";
import { type GuestLog, guestLog, type InvocationStorage, Invocations } from "./log.ts";
import { type LoadFailure, describeFailure, throwForGateway } from "./failure.ts";
import { jsonResponse, NativeResponse } from "./natives.ts";
import { reportStrayErrors } from "./stray-errors.ts";
import { capWaitUntil } from "./wait-until.ts";

/** What the gateway writes into the main module. */
export interface GuestConfig {
  logToken: string;
  vars: Readonly<Record<string, string>>;
  files: GuestFiles["index"];
  /** All files in one buffer, when they are small enough to be in the isolate. */
  fileBytes: ArrayBuffer | undefined;
  /** Given when the app's code names `Deno`. */
  deno: InstallDeno | undefined;
  /** Given when the app's code names the console. */
  storage: InvocationStorage | undefined;
}

let guest: { handler: GuestHandler | undefined; failure: LoadFailure | undefined } | undefined;

/**
 * Puts console and `Deno` in place, imports the app and answers what the isolate exports. A
 * failure to load is kept for {@link IgniteControl} and answers every request.
 */
export async function boot(
  config: GuestConfig,
  load: () => Promise<UserModule>,
): Promise<ExportedHandler> {
  if (guest !== undefined) throw new Error("the isolate is already up");
  guest = { handler: undefined, failure: undefined };
  const invocations = new Invocations(config.storage);
  const write = guestLog(config.logToken, invocations);
  installConsole(write);
  reportStrayErrors(write);
  const vars = { ...config.vars };
  const { files: index, fileBytes: bytes } = config;
  const served = config.deno?.({ vars, files: { index, bytes, fetchFile }, inspect });
  try {
    guest.handler = findHandler(await load(), served?.(), vars);
  } catch (error) {
    guest.failure = describeFailure(error);
    write("error", guest.failure.message, guest.failure.stack);
  }
  return { fetch: invoke(guest, invocations, write) };
}

let abortIsolate: ((reason: string) => never) | undefined;

/**
 * The platform's own entrypoint beside the app: `/probe` answers a {@link LoadFailure} or null.
 * `/abort`, called twice, drops this isolate: the first call gets the engine's function, which few
 * isolates need, and the second ends without an answer. (It has to call that function at once:
 * after an `await`, with other requests about, workerd 2026-11-17 never frees the isolate.) An app
 * that calls it reaches only itself.
 */
export const IgniteControl: ExportedHandler = {
  fetch(request) {
    if (request.url.endsWith("/probe")) return jsonResponse(guest?.failure ?? null);
    if (abortIsolate !== undefined) return abortIsolate("evicted");
    return import("cloudflare:workers").then((engine) => {
      ({ abortIsolate } = engine);
      return new Response(null, { status: 204 });
    });
  },
};

function invoke(
  { handler, failure }: { handler: GuestHandler | undefined; failure: LoadFailure | undefined },
  invocations: Invocations,
  write: GuestLog,
): ExportedHandlerFetchHandler {
  if (handler === undefined) return () => throwForGateway("load", failure?.message ?? "");
  const fail = (error: unknown, request: Request): never => {
    const { message, stack } = describeFailure(error);
    write("error", message, stack, request);
    return throwForGateway("guest", message);
  };
  const settle = async (answer: unknown, request: Request) => {
    try {
      const response = await answer;
      if (response instanceof NativeResponse) return response;
      throw notResponse(response);
    } catch (error) {
      return fail(error, request);
    }
  };
  // An answer that is there at once is handed on at once
  const run = (request: Request, context: ExecutionContext) => {
    try {
      const answer = handler(request, context);
      return answer instanceof NativeResponse ? answer : settle(answer, request);
    } catch (error) {
      return fail(error, request);
    }
  };
  return (request, _env, context) => {
    capWaitUntil(context);
    return invocations.run(request, () => run(request, context));
  };
}

/** Reads a file that is too large to be in the isolate from the cell. */
async function fetchFile(name: string): Promise<Uint8Array> {
  const { env } = await import("cloudflare:workers");
  const { IGNITE_ASSETS: assets } = env as unknown as { IGNITE_ASSETS: Fetcher };
  const response = await assets.fetch(`http://assets/${encodeURIComponent(name)}`);
  if (!response.ok) throw new Error(`static file ${name}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
