/** How soon the command line answers. */
import { timeCommand } from "../command.ts";
import type { Line, Row, RowContext } from "../row.ts";
import { median } from "../statistics.ts";

const RUNS = 20;

export const row: Row = {
  name: "commands",
  bar: "`ignite --version` ≤ 120 ms; a read command against a running platform ≤ 250 ms (wall, median)",
  async run(context) {
    return [
      { ...(await timed(context, ["--version"])), bar: { of: "value", max: 120 } },
      { ...(await timed(context, ["apps"])), bar: { of: "value", max: 250 } },
    ];
  },
};

async function timed(context: RowContext, args: readonly string[]): Promise<Line> {
  const { ignite } = await context.platform();
  await timeCommand(ignite, args); // The first one bundles the command line
  const times: number[] = [];
  for (let at = 0; at < RUNS; at += 1) times.push(await timeCommand(ignite, args));
  return { what: `ignite ${args.join(" ")}, median`, value: median(times), unit: "ms" };
}
