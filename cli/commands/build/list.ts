import type { Command } from "../../command.ts";
import { collect, limitOption } from "../../pages.ts";
import { buildClientOf } from "./client.ts";

/** `ignite builds` */
export const command: Command = {
  options: [limitOption],
  examples: [["ignite builds", "image builds of the organization, newest first"]],
  async run(context, input) {
    const [{ BuildSchema }, { plain }, { buildTable }, { org }, client] = await Promise.all([
      import("../../../proto/gen/ignite/v1/build_pb.ts"),
      import("../../api.ts"),
      import("./text.ts"),
      context.target(),
      buildClientOf(context),
    ]);
    const builds = await collect(input, async (page) => {
      const answer = await client.listBuilds({ organization: org ?? "", ...page });
      return { items: answer.builds, nextPageToken: answer.nextPageToken };
    });
    context.io.result(
      builds.map((build) => plain(BuildSchema, build)),
      () => buildTable(builds),
    );
  },
};
