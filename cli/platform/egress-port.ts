import type { EgressPort } from "../../runtime/host/ports.ts";
import type { Daemon } from "./child.ts";

/**
 * The egress daemon as the edge sees it: told on its stdin which cells to listen for, and told
 * anew after a restart. Commands take effect in order, within milliseconds, and are not waited
 * for: a cell connects with the first call of a guest.
 */
export function egressPort(daemon: Daemon): EgressPort {
  const sockets = new Map<string, string>();
  const add = (cell: string, socket: string) => daemon.send({ add: { cell, socket } });
  daemon.onRestart(() => {
    for (const [cell, socket] of sockets) add(cell, socket);
  });
  return {
    async open(cell, socket) {
      sockets.set(cell, socket);
      add(cell, socket);
    },
    async close(cell) {
      sockets.delete(cell);
      daemon.send({ remove: { cell } });
    },
  };
}
