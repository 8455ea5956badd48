import type { Command } from "../../command.ts";
import { adminClientOf } from "./client.ts";

const ISOLATIONS = { org: 1, dedicated: 2, shared: 3 } as const; // Isolation of the API

/** `ignite orgs create` */
export const command: Command = {
  args: [{ name: "name", summary: "first part of its apps' names" }],
  options: [
    {
      flags: "--isolation <kind>",
      summary: "who shares its processes at the edge",
      choices: Object.keys(ISOLATIONS),
      fallback: "org",
    },
  ],
  details: "For operators. Prints the organization's first key, an owner, once.",
  examples: [["ignite orgs create acme", "with its first key"]],
  async run(context, input) {
    const [{ OrganizationSchema }, { plain }, client] = await Promise.all([
      import("../../../proto/gen/ignite/v1/organization_pb.ts"),
      import("../../api.ts"),
      adminClientOf(context),
    ]);
    const isolation = ISOLATIONS[(input.text("isolation") ?? "org") as keyof typeof ISOLATIONS];
    const name = input.required("name");
    const { organization, secret } = await client.createOrganization({ name, isolation });
    if (organization === undefined) return;
    context.io.progress(`Made ${organization.name}. Keep its key below: it is shown only now.`);
    context.io.result({ ...plain(OrganizationSchema, organization), secret }, () => secret);
  },
};
