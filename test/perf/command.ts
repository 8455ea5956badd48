/** How long a command line takes, as its user waits for it. */
import type { RunOptions, RunResult } from "../harness/platform.ts";

/** Runs commands; `ignite` of a platform or of the harness. */
export type RunIgnite = (args: readonly string[], options?: RunOptions) => Promise<RunResult>;

/** Milliseconds from start to exit. Fails with what the command wrote when it did not succeed. */
export async function timeCommand(
  run: RunIgnite,
  args: readonly string[],
  options: RunOptions = {},
): Promise<number> {
  const startMs = performance.now();
  const { code, stdout, stderr } = await run(args, options);
  const tookMs = performance.now() - startMs;
  if (code !== 0)
    throw new Error(`ignite ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
  return tookMs;
}
