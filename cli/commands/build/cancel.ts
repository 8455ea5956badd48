import type { Command } from "../../command.ts";
import { buildClientOf } from "./client.ts";

/** `ignite build cancel` */
export const command: Command = {
  args: [{ name: "id", summary: "bld_…" }],
  details: "A build that has ended is left as it is.",
  examples: [["ignite build cancel bld_01j9…", "stops it, or takes it out of the queue"]],
  async run(context, input) {
    const [{ BuildSchema }, { plain }, { buildStatus }, client] = await Promise.all([
      import("../../../proto/gen/ignite/v1/build_pb.ts"),
      import("../../api.ts"),
      import("./text.ts"),
      buildClientOf(context),
    ]);
    const { build } = await client.cancelBuild({ id: input.required("id") });
    if (build === undefined) return;
    context.io.result(plain(BuildSchema, build), () => `${build.id} ${buildStatus(build)}`);
  },
};
