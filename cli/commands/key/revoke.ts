import type { Command } from "../../command.ts";

/** `ignite keys revoke` */
export const command: Command = {
  args: [{ name: "id", summary: "key_…" }],
  options: [{ flags: "--force", summary: "also the last key that owns or operates" }],
  examples: [["ignite keys revoke key_01j9…", "it stops working at once"]],
  async run(context, input) {
    const [{ ApiKeySchema }, { plain }, client] = await Promise.all([
      import("../../../proto/gen/ignite/v1/key_pb.ts"),
      import("../../api.ts"),
      context.keys(),
    ]);
    const { key } = await client.revokeKey({
      id: input.required("id"),
      force: input.flag("force"),
    });
    if (key === undefined) return;
    context.io.result(plain(ApiKeySchema, key), () => `Revoked ${key.id} (${key.name})`);
  },
};
