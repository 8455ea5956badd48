import type { Command } from "../../command.ts";

/** `ignite cancel` */
export const command: Command = {
  args: [{ name: "id", summary: "exe_…" }],
  details: "An execution that has ended is left as it is.",
  examples: [["ignite cancel exe_01j9…", "stops it, or takes it out of the queue"]],
  async run(context, input) {
    const { ExecutionSchema, plain, views } = await import("../../api.ts");
    const id = input.executionId(input.required("id"));
    const { execution } = await (await context.compute()).cancelExecution({ id });
    if (execution === undefined) return;
    context.io.result(
      plain(ExecutionSchema, execution),
      () => `${id} ${views.executionStatus(execution, context.io.colors)}`,
    );
  },
};
