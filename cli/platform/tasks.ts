/** Has the control plane do its periodic work. Each task is idempotent and takes no input. */
import { Client } from "undici";
import type { Log } from "../../core/log.ts";
import { channelKey, planeTokenHeader, signPlaneToken } from "../../core/plane-token.ts";

/** Where the control plane's internal listener is. */
export interface TasksOptions {
  socketPath: string;
  masterKey: Buffer;
  log: Log;
}

/** What runs how often, in milliseconds. */
const PERIODS: Readonly<Record<string, number>> = {
  "fail-stuck-compiles": 30_000,
  "delete-expired": 10 * 60_000,
  "trim-history": 10 * 60_000,
  "collect-blobs": 60 * 60_000,
};

/** Starts the timers; the next period is the retry of a task that failed. */
export function startTasks(options: TasksOptions): { stop(): Promise<void> } {
  const client = new Client("http://control", { socketPath: options.socketPath });
  const timers = Object.entries(PERIODS).map(([name, periodMs]) =>
    setInterval(() => void runTask(client, options, name), periodMs).unref(),
  );
  return {
    async stop() {
      timers.forEach(clearInterval);
      await client.destroy();
    },
  };
}

async function runTask(client: Client, options: TasksOptions, name: string): Promise<void> {
  const path = `/internal/tasks/${name}`;
  try {
    const key = await channelKey(new Uint8Array(options.masterKey), "control");
    const token = await signPlaneToken(key, { aud: "control", method: "POST", path }, Date.now());
    const answer = await client.request({
      path,
      method: "POST",
      headers: { [planeTokenHeader]: token },
    });
    await answer.body.dump();
    if (answer.statusCode >= 300) throw new Error(`it answered ${answer.statusCode}`);
  } catch (error) {
    options.log.warn("a periodic task failed", { task: name, reason: (error as Error).message });
  }
}
