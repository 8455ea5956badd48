/** Passes connections from one unix socket on to another, byte for byte. */
import { chmod } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";
import { pipeline } from "node:stream";

/** A listening relay. */
export interface Relay {
  close(): Promise<void>;
}

/** Listens at `from`, which everybody who reaches its folder may use, and connects to `to`. */
export async function startRelay(from: string, to: string): Promise<Relay> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const onward = createConnection({ path: to, allowHalfOpen: true });
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    pipeline(socket, onward, socket, () => socket.destroy());
  });
  await new Promise<void>((done, reject) => server.once("error", reject).listen(from, done));
  await chmod(from, 0o666);
  return {
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of open) socket.destroy();
      }),
  };
}
