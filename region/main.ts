/**
 * The regional daemon as a process: configuration as one JSON line on stdin, `{"ready":true}` on
 * stdout, its log on stderr. It ends when stdin does (its parent died) or on SIGTERM.
 */
import { createInterface } from "node:readline";
import { IgniteError } from "../core/errors.ts";
import { jsonLog } from "../core/log.ts";
import { type Region, type RegionConfig, startRegion } from "./daemon.ts";

const log = jsonLog((line) => process.stderr.write(`${line}\n`));
let region: Promise<Region> | undefined;
let stopping = false;

const input = createInterface({ input: process.stdin });
input.once("line", (line) => {
  region = startRegion(JSON.parse(line) as RegionConfig, log);
  region.then(
    () => process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid })}\n`),
    (error: unknown) => {
      const { reason, message, internal } = IgniteError.from(error);
      log.error(message, { reason, internal });
      process.exit(1);
    },
  );
});
input.once("close", stop);
process.once("SIGTERM", stop);
process.once("SIGINT", stop);

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  const running = await region?.catch(() => undefined);
  await running?.close();
  process.exit();
}
