/** How calls reach the platform: one base URL, one key, one `fetch`. */
import { ConnectError, type Transport } from "@connectrpc/connect";
import { fromEnvironment } from "./environment.ts";
import { IgniteApiError, unreachable } from "./errors.ts";

/** Where the platform is and who calls. */
export interface ConnectionOptions {
  /**
   * Address of the platform, such as `http://localhost:8787`. Left out, it is IGNITE_API; then
   * `key` and `org` are IGNITE_KEY and IGNITE_ORG unless they are given.
   */
  url?: string | undefined;
  /** API key, `igk_…`; without one only public apps can be called. */
  key?: string | undefined;
  /** Organization of app names that are given without one. */
  org?: string | undefined;
  /** Another `fetch` than the global one. */
  fetch?: typeof globalThis.fetch | undefined;
}

/** A checked connection, shared by all parts of the SDK. */
export interface Connection {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string | undefined;
  readonly org: string | undefined;
  readonly fetch: typeof globalThis.fetch;
}

/** Checks the options. Throws a TypeError when there is no address, or one that is not http(s). */
export function connect(options: ConnectionOptions): Connection {
  // A key of the environment is only for the address of the environment
  const found =
    options.url === undefined
      ? fromEnvironment()
      : { url: options.url, key: undefined, org: undefined };
  const { protocol } = new URL(found.url);
  if (protocol !== "http:" && protocol !== "https:") {
    throw new TypeError(`The address of Ignite is http or https, not ${protocol}`);
  }
  const send = options.fetch ?? globalThis.fetch;
  return {
    url: found.url.replace(/\/+$/, ""),
    key: options.key ?? found.key,
    org: options.org ?? found.org,
    fetch: (input, init) => send(input, init),
  };
}

/** Sends an HTTP request with the key. Fails with CONTROL_UNAVAILABLE when nothing answers. */
export async function request(
  connection: Connection,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const headers = new Headers(init.headers);
  if (connection.key !== undefined && !headers.has("authorization")) {
    headers.set("authorization", `Bearer ${connection.key}`);
  }
  try {
    return await connection.fetch(connection.url + path, { ...init, headers });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw unreachable(connection.url, error);
  }
}

/** A transport whose failures are converted; `connection` names the place in the messages. */
export function withApiErrors(transport: Transport, connection: { url: string }): Transport {
  const convert = (error: unknown): never => {
    const { cause } = ConnectError.from(error);
    throw isLost(cause) ? unreachable(connection.url, cause) : IgniteApiError.from(error);
  };
  return {
    unary: (...call) => transport.unary(...call).catch(convert),
    stream: async (...call) => {
      const answer = await transport.stream(...call).catch(convert);
      return { ...answer, message: guard(answer.message, convert) };
    },
  };
}

/**
 * Whether no connection could be made, or it broke: a TypeError of `fetch`, an error of the
 * system, or an answer that Node saw cut off.
 */
function isLost(cause: unknown): boolean {
  if (cause instanceof TypeError) return true;
  if (!(cause instanceof Error)) return false;
  return "syscall" in cause || ("code" in cause && cause.code === "ECONNRESET");
}

/** Passes messages on and converts what the stream throws. */
async function* guard<Message>(
  messages: AsyncIterable<Message>,
  convert: (error: unknown) => never,
): AsyncGenerator<Message> {
  try {
    yield* messages;
  } catch (error) {
    convert(error);
  }
}
