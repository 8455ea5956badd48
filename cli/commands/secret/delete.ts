import type { Command } from "../../command.ts";
import { secretArgument, secretClientOf, versionsOf } from "./client.ts";

/** `ignite secrets delete` */
export const command: Command = {
  args: [
    secretArgument,
    {
      name: "versions",
      summary: "v1 v2 …; none: the whole secret",
      optional: true,
      variadic: true,
    },
  ],
  details:
    "Deleted versions can come back with `ignite secrets undelete`. A whole secret is gone for good.",
  examples: [
    ["ignite secrets delete stripe v3", "hide version 3"],
    ["ignite secrets delete stripe", "erase the secret with all its versions"],
  ],
  async run(context, input) {
    const { client, organization } = await secretClientOf(context);
    const name = input.required("name");
    if (input.rest("versions").length === 0) {
      await client.deleteSecret({ name, organization });
      return context.io.result({ name, deleted: true }, () => `Deleted ${name}`);
    }
    const versions = versionsOf(input);
    await client.deleteSecretVersions({ name, organization, versions });
    context.io.result({ name, deleted: versions }, () => `Deleted ${name} v${versions.join(" v")}`);
  },
};
