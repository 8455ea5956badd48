/** What the clients of the other planes share: fetchers and plane tokens. */
import { IgniteError, type Reason } from "../../core/errors.ts";
import {
  type Channel,
  type ChannelKey,
  planeTokenHeader,
  signPlaneToken,
} from "../../core/plane-token.ts";

/** Something that requests can be sent to; a service binding, or a server in a test. */
export interface Fetcher {
  fetch(request: Request): Promise<Response>;
}

/** Derives the key of a channel, once. */
export type ChannelKeys = (channel: Channel) => Promise<ChannelKey>;

/** Sends a request to another plane, with a token for exactly this call. */
export async function fetchPlane(
  target: { fetcher: Fetcher; channel: Channel; keys: ChannelKeys },
  request: Request,
): Promise<Response> {
  const { method, url } = request;
  const call = { aud: target.channel, method, path: new URL(url).pathname };
  const token = await signPlaneToken(await target.keys(target.channel), call, Date.now());
  request.headers.set(planeTokenHeader, token);
  return target.fetcher.fetch(request);
}

/** The failure of a plane that does not answer, or not as it should. */
export function unavailable(reason: Reason, message: string, cause: unknown): IgniteError {
  const internal = cause instanceof Error ? cause.message : String(cause);
  return new IgniteError({
    code: "unavailable",
    reason,
    message,
    internal,
    cause,
    hint: "Try again; `ignite doctor` tells more.",
  });
}
