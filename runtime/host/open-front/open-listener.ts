/**
 * The public address without a proxy: each cell listens there by itself, on a socket that shares
 * the port with the others', and the kernel spreads connections over them. This process opens the
 * sockets, because a cell has no network, and hands each to its cell before anything arrives.
 */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { IgniteError } from "../../../core/errors.ts";
import type { Listening } from "../workerd-process.ts";

/** Opens sockets at one address. */
export class OpenListener {
  readonly #host: string;
  #port: number;

  /** Port 0 is settled by the first socket. */
  constructor(address: { host: string; port: number }) {
    this.#host = address.host;
    this.#port = address.port;
  }

  get port(): number {
    return this.#port;
  }

  /** One more listening socket, named `open`. Fails with PORT_IN_USE. */
  async listen(): Promise<Listening> {
    const server = createServer((socket) => socket.destroy());
    server.listen({ host: this.#host, port: this.#port, reusePort: true });
    await once(server, "listening").catch((cause: unknown) => {
      throw portInUse(this.#host, this.#port, cause);
    });
    this.#port = (server.address() as AddressInfo).port;
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    return { descriptors: { open: fd }, release: () => void server.close() };
  }
}

function portInUse(host: string, port: number, cause: unknown): IgniteError {
  return new IgniteError({
    code: "failed_precondition",
    reason: "PORT_IN_USE",
    message: `Another program listens at ${host}:${port}.`,
    hint: "Choose another port with --port.",
    cause,
  });
}
