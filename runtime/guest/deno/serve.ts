/** `Deno.serve`: keeps the handler for the isolate's requests. Nothing listens. */

/** What an app passes to `Deno.serve`. */
export type ServeHandler = (request: Request, info: unknown) => Response | Promise<Response>;

interface ServeOptions {
  handler?: ServeHandler;
  onListen?: (address: { hostname: string; port: number; transport: "tcp" }) => void;
  onError?: (error: unknown) => Response | Promise<Response>;
}

const ADDRESS = { hostname: "0.0.0.0", port: 8000, transport: "tcp" } as const;

/** Makes `serve` and the way to read what was served. A second call replaces the handler. */
export function makeServe() {
  let served: ServeHandler | undefined;
  const serve = (first: ServeHandler | ServeOptions, second?: ServeHandler | ServeOptions) => {
    const options = [first, second].find((part) => typeof part === "object") ?? {};
    const handler = [first, second].find((part) => typeof part === "function") ?? options.handler;
    if (handler === undefined) throw new TypeError("Deno.serve needs a handler");
    served = options.onError === undefined ? handler : guarded(handler, options.onError);
    options.onListen?.(ADDRESS);
    return {
      addr: ADDRESS,
      finished: new Promise<void>(() => {}),
      shutdown: async () => {},
      ref() {},
      unref() {},
    };
  };
  return { serve, served: () => served };
}

function guarded(
  handler: ServeHandler,
  onError: NonNullable<ServeOptions["onError"]>,
): ServeHandler {
  return async (request, info) => {
    try {
      return await handler(request, info);
    } catch (error) {
      return onError(error);
    }
  };
}
