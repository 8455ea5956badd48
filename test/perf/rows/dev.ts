/** From saving a file under `ignite dev` to the new answer. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { until } from "../../harness/platform.ts";
import { Caller } from "../caller.ts";
import { writeApp } from "../platform.ts";
import type { Row } from "../row.ts";
import { maximum, median } from "../statistics.ts";

const SAVES = 10;
const CLI = fileURLToPath(new URL("../../../cli/bin.mjs", import.meta.url));

export const row: Row = {
  name: "dev",
  bar: "`ignite dev`: save → new answer ≤ 300 ms",
  async run() {
    const folder = await mkdtemp(join(tmpdir(), "ignite-dev-"));
    await writeApp(folder, "dev", appSaying("save 0"));
    const words = ["dev", folder, "--json", "--port", "0", "--no-inspector"];
    const child = spawn(process.execPath, [CLI, ...words], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    try {
      const { port, hostname } = new URL(await addressOf(child.stdout));
      const caller = new Caller(Number(port));
      const answer = async () => (await caller.get(`${hostname}:${port}`)).body;
      await until("the first answer", async () => (await answer()) === "save 0");
      const times: number[] = [];
      for (let save = 1; save <= SAVES; save += 1) {
        const startMs = performance.now();
        await writeFile(join(folder, "main.ts"), appSaying(`save ${save}`));
        while ((await answer()) !== `save ${save}`) await new Promise(setImmediate);
        times.push(performance.now() - startMs);
      }
      caller.close();
      return [
        {
          what: "save → new answer, median",
          value: median(times),
          unit: "ms",
          bar: { of: "value", max: 300 },
          note: `slowest of ${SAVES}: ${maximum(times).toFixed(0)} ms`,
        },
      ];
    } finally {
      child.kill("SIGINT");
      await exited;
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function appSaying(text: string): string {
  return `export default { fetch: () => new Response(${JSON.stringify(text)}) };\n`;
}

async function addressOf(stdout: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stdout })) {
    const { ready, url } = JSON.parse(line) as { ready?: boolean; url?: string };
    if (ready === true && url !== undefined) {
      stdout.resume(); // What it says later must not block it
      return url;
    }
  }
  throw new Error("ignite dev ended before it was ready");
}
