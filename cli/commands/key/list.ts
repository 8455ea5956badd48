import type { Command } from "../../command.ts";
import { table } from "../../io.ts";
import { collect, limitOption } from "../../pages.ts";

/** `ignite keys list` */
export const command: Command = {
  options: [limitOption, { flags: "--all", summary: "revoked and expired ones too" }],
  examples: [["ignite keys list", "newest first, without the keys themselves"]],
  async run(context, input) {
    const [{ ApiKeySchema, Role }, { plain, views }, { org }, client] = await Promise.all([
      import("../../../proto/gen/ignite/v1/key_pb.ts"),
      import("../../api.ts"),
      context.target(),
      context.keys(),
    ]);
    const request = { organization: org ?? "", includeRevoked: input.flag("all") };
    const keys = await collect(input, async (page) => {
      const answer = await client.listKeys({ ...request, ...page });
      return { items: answer.keys, nextPageToken: answer.nextPageToken };
    });
    const rows = () =>
      keys.map((key) => [
        key.id,
        key.name,
        views.enumName(Role, key.role) + (key.operator ? ", operator" : ""),
        key.apps.join(", ") || "all",
        `${key.prefix}…`,
        views.time(key.createTime),
        key.revokeTime === undefined ? views.time(key.expireTime) : "revoked",
      ]);
    context.io.result(
      keys.map((key) => plain(ApiKeySchema, key)),
      () => table(["KEY", "NAME", "ROLE", "APPS", "STARTS", "MADE", "ENDS"], rows()),
    );
  },
};
