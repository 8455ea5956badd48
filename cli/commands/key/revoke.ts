import type { Command } from "../../command.ts";

/** `ignite keys revoke` */
export const command: Command = {
  args: [{ name: "id", summary: "key_…" }],
  examples: [["ignite keys revoke key_01j9…", "it stops working at once"]],
  async run(context, input) {
    const [{ ApiKeySchema }, { plain }, client] = await Promise.all([
      import("../../../proto/gen/ignite/v1/key_pb.ts"),
      import("../../api.ts"),
      context.keys(),
    ]);
    const { key } = await client.revokeKey({ id: input.required("id") });
    if (key === undefined) return;
    context.io.result(plain(ApiKeySchema, key), () => `Revoked ${key.id} (${key.name})`);
  },
};
