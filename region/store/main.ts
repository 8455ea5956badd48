/**
 * The store as a process: its options come as one JSON line on stdin, `{"ready":true}` goes to
 * stdout, and it ends when stdin does or on SIGTERM. Exit status 1 when it could not start.
 */
import { createInterface } from "node:readline";
import { IgniteError } from "../../core/errors.ts";
import { jsonLog } from "../../core/log.ts";
import { type Store, type StoreOptions, startStore } from "./store.ts";

const log = jsonLog((line) => process.stderr.write(`${line}\n`));
let store: Promise<Store> | undefined;
let stopping = false;

const input = createInterface({ input: process.stdin });
input.once("line", (line) => {
  store = startStore({ ...(JSON.parse(line) as StoreOptions), log });
  store.then(
    () => process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid })}\n`),
    (error: unknown) => {
      const { reason, message, hint, internal } = IgniteError.from(error);
      log.error(hint === undefined ? message : `${message} ${hint}`, { reason, internal });
      process.exitCode = 1;
      input.close();
      process.stdin.destroy();
    },
  );
});
input.once("close", stop);
process.once("SIGTERM", stop);
process.once("SIGINT", stop);

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  const running = await store?.catch(() => undefined);
  await running?.close();
  process.exit();
}
