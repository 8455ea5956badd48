import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLog } from "../../core/log.ts";
import { processesNaming } from "../../test/harness/processes.ts";
import { startControl } from "./control.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ignite-control-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("stop() ends a control plane that is just being started again", async () => {
  const names = ["public", "internal", "store", "region", "edge", "front"] as const;
  const sockets = Object.fromEntries(names.map((name) => [name, join(folder, `${name}.sock`)]));
  const control = await startControl({
    folder,
    sockets: sockets as Record<(typeof names)[number], string>,
    storeToken: "secret",
    masterKey: Buffer.alloc(32),
    domain: "localhost",
    publicUrl: "http://localhost",
    openMetrics: false,
    log: silentLog,
  });
  process.kill(control.pid() ?? 0, "SIGKILL");
  while (control.pid() !== undefined) await setImmediate();
  await control.stop();
  expect(await processesNaming(join(folder, "control"))).toEqual([]);
});
