/** The regional daemon, by Connect over its own listener. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { IgniteError } from "../../core/errors.ts";
import { ErrorInfoSchema } from "../../proto/gen/ignite/v1/error_pb.ts";
import { RegionService } from "../../proto/gen/ignite/v1/region_service_pb.ts";
import type { CompilerStatus, Region } from "../ports.ts";
import { type ChannelKeys, type Fetcher, fetchPlane, unavailable } from "./http.ts";

const EXAMINE_TIMEOUT_MS = 2_000;

/** Makes the client and a way to ask how the region is. */
export function regionClient(
  fetcher: Fetcher,
  keys: ChannelKeys,
): { region: Region; examine(): Promise<CompilerStatus> } {
  const target = { fetcher, channel: "region" as const, keys };
  const transport = createConnectTransport({
    baseUrl: "http://region",
    useBinaryFormat: true,
    // Only what a Worker's fetch knows: the transport also sets browsers' modes and credentials.
    fetch: (input, init = {}) => {
      const { method, headers, body, signal } = init;
      const known = { method, headers, body, signal } as RequestInit;
      return fetchPlane(target, new Request(String(input), known));
    },
  });
  const client = createClient(RegionService, transport);
  return {
    region: { compile: (request, options) => translated(client.compile(request, options)) },
    async examine() {
      const signal = AbortSignal.timeout(EXAMINE_TIMEOUT_MS);
      try {
        const answer = await fetchPlane(target, new Request("http://region/healthz", { signal }));
        if (!answer.ok) throw new Error(`it answered ${answer.status}`);
        return ((await answer.json()) as { compiler: CompilerStatus }).compiler;
      } catch (caught) {
        throw regionUnavailable(caught);
      }
    },
  };
}

async function* translated<Message>(messages: AsyncIterable<Message>): AsyncGenerator<Message> {
  try {
    yield* messages;
  } catch (caught) {
    throw errorOf(caught);
  }
}

/** A region that refuses says why; anything else is a region that does not answer. */
function errorOf(caught: unknown): IgniteError {
  const error = ConnectError.from(caught, Code.Unavailable);
  if (error.code === Code.Unimplemented) {
    const reason = "NOT_IMPLEMENTED";
    return new IgniteError({ code: "unimplemented", reason, message: error.rawMessage });
  }
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info?.reason === "SOURCE_MISSING") {
    const { reason, hint } = info;
    return new IgniteError({
      code: "failed_precondition",
      reason,
      message: error.rawMessage,
      hint,
    });
  }
  return regionUnavailable(error);
}

function regionUnavailable(cause: unknown): IgniteError {
  return unavailable("REGION_UNAVAILABLE", "The region does not answer.", cause);
}
