/**
 * Tells when a stopping HAProxy has nothing left to do. On its own it would wait for every
 * connection that a browser opened ahead of need, ten seconds each.
 */
import { createConnection } from "node:net";

const POLL_MS = 20;
const PROMPT = "\n> ";
const BACKEND_CURRENT = 4; // The column `scur` of `show stat`

/**
 * Keeps a conversation with HAProxy open, which it takes up with nobody once it stops. The answer
 * settles true when no request runs, false when HAProxy ended before.
 */
export async function watchRequests(adminSocket: string): Promise<{ idle(): Promise<boolean> }> {
  const socket = createConnection(adminSocket).setEncoding("utf8");
  let text = "";
  let heard: (text: string | undefined) => void = () => {};
  socket.on("data", (chunk: string) => {
    text += chunk;
    if (text.endsWith(PROMPT)) heard(text);
  });
  socket.on("error", () => {}).once("close", () => heard(undefined));
  const ask = (command: string) =>
    new Promise<string | undefined>((resolve) => {
      if (socket.destroyed) return resolve(undefined);
      text = "";
      heard = resolve;
      socket.write(`${command}\n`);
    });
  await ask("prompt");
  return {
    async idle() {
      for (;;) {
        const answer = await ask("show stat");
        if (answer === undefined) return false;
        if (runningRequests(answer) === 0) return true;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
  };
}

/** Requests that are with a backend, from the answer to `show stat`. */
export function runningRequests(statistics: string): number {
  return statistics
    .split("\n")
    .map((line) => line.split(","))
    .filter(([, name]) => name === "BACKEND")
    .reduce((sum, fields) => sum + Number(fields[BACKEND_CURRENT]), 0);
}
