import { createServer } from "node:net";
import { IgniteError } from "../../core/errors.ts";

const PORT_MAX = 65_535;

/**
 * Finds out that a port can be listened on, or picks a free one for 0. Fails with PORT_IN_USE, so
 * that nothing is started before a start that cannot succeed; with INVALID_ARGUMENT where this
 * machine has no such address or port.
 */
export async function freePort(host: string, port: number): Promise<number> {
  const server = createServer();
  try {
    await new Promise<void>((done, fail) => server.once("error", fail).listen(port, host, done));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE" && code !== "EACCES") throw notListenable(host, port, error);
    throw new IgniteError({
      code: "failed_precondition",
      reason: "PORT_IN_USE",
      message:
        code === "EACCES"
          ? `Port ${port} needs more rights than this user has.`
          : `Another program listens on ${host}:${port}.`,
      hint: "Choose another port with --port, or --port 0 for any free one.",
      cause: error,
    });
  }
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("no address");
  return address.port;
}

function notListenable(host: string, port: number, cause: unknown): IgniteError {
  const isPort = port <= PORT_MAX;
  return new IgniteError({
    code: "invalid_argument",
    reason: "INVALID_ARGUMENT",
    message: isPort
      ? `This machine cannot listen on ${host}:${port}: ${(cause as Error).message}.`
      : `${port} is not a port; they go up to ${PORT_MAX}.`,
    hint: isPort ? "Give an address of this machine with --host." : "Choose another with --port.",
    cause,
  });
}
