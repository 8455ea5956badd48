import type { Command } from "../../command.ts";
import type { CommandContext } from "../../context.ts";

/** `ignite execution` */
export const command: Command = {
  args: [{ name: "id", summary: "exe_…" }],
  options: [{ flags: "-w, --watch", summary: "follow its changes and log lines to its end" }],
  details: "With --watch it ends with 1 when the execution did not succeed.",
  examples: [
    ["ignite execution exe_01j9…", "what it was asked and what came of it"],
    ["ignite execution exe_01j9… --watch", "until it ends"],
  ],
  async run(context, input) {
    const id = input.executionId(input.required("id"));
    if (input.flag("watch")) return watch(context, id);
    const { ExecutionSchema, plain, views } = await import("../../api.ts");
    const { execution } = await (await context.compute()).getExecution({ id });
    if (execution === undefined) return;
    context.io.result(plain(ExecutionSchema, execution), () =>
      views.executionText(execution, context.io.colors),
    );
  },
};

/** Follows the execution; fails when it does not succeed. */
async function watch(context: CommandContext, id: string): Promise<void> {
  const { ExecutionStatus, IgniteApiError } = await import("../../api.ts");
  const { watchExecution } = await import("./watch.ts");
  const last = await watchExecution(context, id);
  if (last?.status === ExecutionStatus.SUCCEEDED) return;
  throw new IgniteApiError({
    code: "unknown",
    reason: last?.failure?.reason || "EXECUTION_FAILED",
    message: last?.failure?.message || `Execution ${id} did not succeed.`,
    stackOfApp: last?.failure?.stack || undefined,
  });
}
