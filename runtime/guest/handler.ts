/** Finds what answers requests: `Deno.serve`, `export default { fetch }`, or a default function. */
import type { ServeHandler } from "./deno/serve.ts";

/** Answers one request inside its invocation. */
export type GuestHandler = (request: Request, context: ExecutionContext) => unknown;

/** The app's main module. */
export interface UserModule {
  default?: unknown;
}

/** Picks the handler. `Deno.serve` wins; throws when there is none. */
export function findHandler(
  module: UserModule,
  served: ServeHandler | undefined,
  vars: Readonly<Record<string, string>>,
): GuestHandler {
  if (served !== undefined) {
    return (request, context) => served(request, connectionInfo(request, context));
  }
  const exported = module.default;
  if (typeof exported === "function") {
    const call = exported as (...given: unknown[]) => unknown;
    return (request, context) => call(request, vars, context);
  }
  if (typeof exported === "object" && exported !== null && "fetch" in exported) {
    const target = exported as { fetch: (...given: unknown[]) => unknown };
    if (typeof target.fetch === "function") {
      return (request, context) => target.fetch(request, vars, context);
    }
  }
  throw new TypeError(
    "The main module answers no requests. Export default { fetch } or call Deno.serve(handler).",
  );
}

/** What to say of an answer that is no Response. */
export function notResponse(answer: unknown): TypeError {
  return new TypeError(`The handler returned ${nameOfKind(answer)} instead of a Response.`);
}

function nameOfKind(answer: unknown): string {
  if (answer === undefined || answer === null) return String(answer);
  if (Array.isArray(answer)) return "an array";
  const kind = typeof answer;
  return kind === "object" ? "an object" : `a ${kind}`;
}

/** What Deno passes as second argument; the address is the caller's, as the front saw it. */
function connectionInfo(request: Request, context: ExecutionContext) {
  return {
    get remoteAddr() {
      const forwarded = request.headers.get("x-forwarded-for")?.split(",").at(-1)?.trim();
      return { transport: "tcp" as const, hostname: forwarded ?? "127.0.0.1", port: 0 };
    },
    completed: Promise.resolve(),
    waitUntil: (work: Promise<unknown>) => context.waitUntil(work),
  };
}
