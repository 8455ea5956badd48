import type { Command } from "../../command.ts";
import type { CommandContext } from "../../context.ts";
import { buildClientOf } from "./client.ts";

/** `ignite build` */
export const command: Command = {
  args: [{ name: "id", summary: "bld_…" }],
  options: [
    { flags: "--logs", summary: "print its log" },
    { flags: "-f, --follow", summary: "with --logs: go on until it ends" },
    { flags: "--offset <bytes>", summary: "with --logs: start at this position" },
  ],
  examples: [
    ["ignite build bld_01j9…", "status, image, time"],
    ["ignite build bld_01j9… --logs -f", "its log, live"],
  ],
  async run(context, input) {
    const id = input.required("id");
    if (input.flag("logs")) {
      return printLogs(context, {
        id,
        follow: input.flag("follow"),
        offsetBytes: BigInt(input.number("offset") ?? 0),
      });
    }
    const [{ BuildSchema }, { plain }, { buildText }, client] = await Promise.all([
      import("../../../proto/gen/ignite/v1/build_pb.ts"),
      import("../../api.ts"),
      import("./text.ts"),
      buildClientOf(context),
    ]);
    const { build } = await client.getBuild({ id });
    if (build !== undefined) context.io.result(plain(BuildSchema, build), () => buildText(build));
  },
};

async function printLogs(
  context: CommandContext,
  request: { id: string; follow: boolean; offsetBytes: bigint },
): Promise<void> {
  const client = await buildClientOf(context);
  const { io } = context;
  for await (const { event } of client.streamBuildLogs(request)) {
    if (event.case !== "log") continue;
    const { data, offsetBytes } = event.value;
    if (!io.json) io.streams.stdout.write(data);
    else io.item({ offsetBytes, text: new TextDecoder().decode(data) }, () => "");
  }
}
