import type { Command } from "../../command.ts";
import { fields } from "../../io.ts";

/** `ignite whoami` */
export const command: Command = {
  examples: [["ignite whoami", "platform, organization, key and role"]],
  async run(context) {
    const [{ WhoAmIResponseSchema }, { Role }, { plain, views }, { api }, client] =
      await Promise.all([
        import("../../../proto/gen/ignite/v1/key_service_pb.ts"),
        import("../../../proto/gen/ignite/v1/key_pb.ts"),
        import("../../api.ts"),
        context.target(),
        context.keys(),
      ]);
    const answer = await client.whoAmI({});
    const { key, organization } = answer;
    context.io.result({ api, ...plain(WhoAmIResponseSchema, answer) }, () =>
      fields([
        ["Platform", api],
        ["Organization", organization?.name || key?.organization || ""],
        ["Key", `${key?.id ?? ""} ${key?.name ?? ""}`],
        ["Role", views.enumName(Role, key?.role) + (key?.operator ? ", operator" : "")],
        ["Apps", key?.apps.join(", ") ?? ""],
      ]),
    );
  },
};
