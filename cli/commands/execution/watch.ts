import type { Execution } from "../../../proto/gen/ignite/v1/execution_pb.ts";
import type { CommandContext } from "../../context.ts";

/** Prints an execution's changes and log lines; answers its last state. */
export async function watchExecution(
  context: CommandContext,
  id: string,
): Promise<Execution | undefined> {
  const { WatchExecutionResponseSchema, plain, views } = await import("../../api.ts");
  const compute = await context.compute();
  const { io } = context;
  let last: Execution | undefined;
  for await (const answer of compute.watchExecution({ id, includeLogs: true })) {
    const { event } = answer;
    if (event.case === "execution") last = event.value;
    io.item(plain(WatchExecutionResponseSchema, answer), () => {
      if (event.case === "log") return views.logText(event.value, io.colors);
      if (event.case === "gap") return views.gapText(event.value, io.colors);
      if (event.case !== "execution") return "";
      return `${id} ${views.executionStatus(event.value, io.colors)}`;
    });
  }
  return last;
}
