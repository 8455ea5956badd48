import type { Command } from "../../command.ts";
import { secretArgument, secretClientOf, versionsOf } from "./client.ts";

/** `ignite secrets destroy` */
export const command: Command = {
  args: [secretArgument, { name: "versions", summary: "v1 v2 …", variadic: true }],
  details: "The values are gone for good.",
  examples: [["ignite secrets destroy stripe v3", "erase the values of version 3"]],
  async run(context, input) {
    const { client, organization } = await secretClientOf(context);
    const name = input.required("name");
    const versions = versionsOf(input);
    await client.destroySecretVersions({ name, organization, versions });
    const text = `Destroyed ${name} v${versions.join(" v")}`;
    context.io.result({ name, destroyed: versions }, () => text);
  },
};
