import type { Command, Input } from "../../command.ts";
import { collect, limitOption } from "../../pages.ts";
import { appArgument } from "../app/argument.ts";

const STATUSES = ["queued", "running", "succeeded", "failed", "cancelled", "timed-out", "expired"];

/** `ignite executions` */
export const command: Command = {
  args: [appArgument],
  options: [
    limitOption,
    { flags: "--status <status>", summary: "only these", choices: STATUSES },
    { flags: "--of <version>", summary: "only those of a version" },
  ],
  examples: [
    ["ignite executions acme/hello", "newest first"],
    ["ignite executions acme/hello --status failed", "what went wrong"],
  ],
  async run(context, input) {
    const { ExecutionSchema, appRef, plain, views } = await import("../../api.ts");
    const app = appRef(await context.app(input.arg("app")));
    const compute = await context.compute();
    const filter = await filterOf(input);
    const executions = await collect(input, async (page) => {
      const answer = await compute.listExecutions({ app, ...filter, ...page });
      return { items: answer.executions, nextPageToken: answer.nextPageToken };
    });
    context.io.result(
      executions.map((execution) => plain(ExecutionSchema, execution)),
      () => views.executionTable(executions, context.io.colors),
    );
  },
};

async function filterOf(input: Input) {
  const { ExecutionStatus } = await import("../../api.ts");
  const status = input.text("status")?.toUpperCase().replace("-", "_");
  const of = input.text("of");
  return {
    version: of === undefined ? 0 : input.version(of),
    statuses: status === undefined ? [] : [ExecutionStatus[status as keyof typeof ExecutionStatus]],
  };
}
