/** HAProxy's runtime API: changes its maps while it serves. */
import { createConnection } from "node:net";
import { IgniteError } from "../../../core/errors.ts";

/** Sends one command and answers what HAProxy says. Fails with INTERNAL when it does not answer. */
export function askHaproxy(
  socketPath: string,
  command: string,
  timeoutMs = 2_000,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath);
    const chunks: Buffer[] = [];
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error("timed out")));
    socket.on("connect", () => socket.write(`${command}\n`));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("end", () => resolve(Buffer.concat(chunks).toString("utf8").trim()));
    socket.on("error", (cause) => reject(unavailable(cause)));
  });
}

function unavailable(cause: Error): IgniteError {
  return new IgniteError({
    code: "unavailable",
    reason: "INTERNAL",
    message: "The front does not take commands.",
    internal: cause.message,
    cause,
  });
}
