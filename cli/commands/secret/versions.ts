import type { Command } from "../../command.ts";
import { table } from "../../io.ts";
import { collect, limitOption } from "../../pages.ts";
import { secretArgument, secretClientOf } from "./client.ts";

/** `ignite secrets versions` */
export const command: Command = {
  args: [secretArgument],
  options: [limitOption],
  examples: [["ignite secrets versions stripe", "newest first, without values"]],
  async run(context, input) {
    const [{ SecretVersionSchema }, { plain, views }, { client, organization }] = await Promise.all(
      [
        import("../../../proto/gen/ignite/v1/secret_pb.ts"),
        import("../../api.ts"),
        secretClientOf(context),
      ],
    );
    const name = input.required("name");
    const versions = await collect(input, async (page) => {
      const answer = await client.listSecretVersions({ name, organization, ...page });
      return { items: answer.versions, nextPageToken: answer.nextPageToken };
    });
    const rows = () =>
      versions.map((one) => {
        const gone = one.deleteTime === undefined ? "kept" : "deleted";
        const state = one.destroyed ? "destroyed" : gone;
        return [`v${one.version}`, state, views.time(one.createTime), views.time(one.deleteTime)];
      });
    context.io.result(
      versions.map((version) => plain(SecretVersionSchema, version)),
      () => table(["VERSION", "STATE", "PUT", "DELETED"], rows()),
    );
  },
};
