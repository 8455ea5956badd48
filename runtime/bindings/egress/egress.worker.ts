/**
 * The network as an isolate sees it: every `fetch` and WebSocket of a guest arrives here and goes
 * to the egress process, which resolves, filters and connects. `connect()` is not offered.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { IgniteError } from "../../../core/errors.ts";
import { statusOf } from "../../dispatch/limits.ts";
import type { IsolateProps } from "../../dispatch/ports.ts";
import { problemResponse } from "../../dispatch/problem.ts";
import { egressErrorHeader } from "./error-header.ts";

/** What the entrypoint needs of its Worker. */
export interface EgressEnv {
  EGRESS: Fetcher;
}

/** Who calls out, for the egress process. */
export interface EgressCaller {
  app: string;
  version: number;
  hops: number;
}

/** The request as the egress process gets it. */
export function egressRequest(request: Request, caller: EgressCaller): Request {
  const { url } = request;
  const headers = new Headers(request.headers);
  for (const name of [...headers.keys()]) {
    if (name.startsWith("ignite-")) headers.delete(name);
  }
  headers.set("ignite-egress-url", url);
  headers.set("ignite-app", caller.app);
  headers.set("ignite-version", String(caller.version));
  headers.set("ignite-hops", String(caller.hops));
  return new Request(url, {
    method: request.method,
    headers,
    body: request.body,
    redirect: "manual",
    signal: request.signal,
  });
}

/** Nobody answered: the guest's `fetch` rejects as it does in Deno and in browsers. */
async function networkError(response: Response): Promise<TypeError> {
  const { detail } = (await response.json()) as { detail: string };
  return new TypeError(detail);
}

/**
 * Makes the entrypoint class. `callOut` hears of each call and answers how many edge hops lead to
 * it; the error it fails with is the guest's answer.
 */
export function egressEntrypoint(callOut: (props: IsolateProps) => number) {
  return class Egress extends WorkerEntrypoint<EgressEnv, IsolateProps> {
    override async fetch(request: Request): Promise<Response> {
      const { props } = this.ctx;
      const { app, version } = props;
      try {
        const hops = callOut(props);
        const response = await this.env.EGRESS.fetch(
          egressRequest(request, { app, version, hops }),
        );
        const isLost = response.headers.get(egressErrorHeader) === "EGRESS_FAILED";
        if (isLost) throw await networkError(response);
        return response;
      } catch (caught) {
        if (!(caught instanceof IgniteError)) throw caught;
        const headers = { [egressErrorHeader]: caught.reason };
        return problemResponse(caught, "", statusOf(caught), headers);
      }
    }
  };
}
