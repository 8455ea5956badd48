import type { Command } from "../../command.ts";
import { secretArgument, secretClientOf, versionsOf } from "./client.ts";

/** `ignite secrets undelete` */
export const command: Command = {
  args: [secretArgument, { name: "versions", summary: "v1 v2 …", variadic: true }],
  details: "Destroyed versions cannot come back.",
  examples: [["ignite secrets undelete stripe v3", "bring version 3 back"]],
  async run(context, input) {
    const { client, organization } = await secretClientOf(context);
    const name = input.required("name");
    const versions = versionsOf(input);
    await client.undeleteSecretVersions({ name, organization, versions });
    const text = `Undeleted ${name} v${versions.join(" v")}`;
    context.io.result({ name, undeleted: versions }, () => text);
  },
};
