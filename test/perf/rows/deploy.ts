/** What the author of an app waits for after each change. */
import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { timeCommand } from "../command.ts";
import type { Row } from "../row.ts";
import { median } from "../statistics.ts";

const HELLO = fileURLToPath(new URL("../../../examples/hello", import.meta.url));

export const row: Row = {
  name: "deploy",
  bar: "`ignite deploy` of the hello example, warm, end to end ≤ 1.0 s, aim 0.5",
  async run(context) {
    const platform = await context.platform();
    const folder = await mkdtemp(join(platform.dataDir, "deploy-"));
    await cp(HELLO, folder, { recursive: true });
    const main = join(folder, "main.ts");
    const source = await readFile(main, "utf8");
    const times: number[] = [];
    for (let at = 0; at <= context.rounds; at += 1) {
      await writeFile(main, `${source}// Change ${at}\n`);
      times.push(await timeCommand(platform.ignite, ["deploy"], { cwd: folder }));
    }
    return [
      {
        what: "changed source → published, median",
        value: median(times.slice(1)) / 1000,
        unit: "s",
        bar: { of: "value", max: 1, aim: 0.5 },
        note: `first ${((times[0] ?? 0) / 1000).toFixed(2)} s`,
      },
    ];
  },
};
